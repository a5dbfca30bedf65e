package import RigModel
import Threading

/// Hands out operation ids in blocks, so that clients seldom meet at the lock. Thread-safe.
package final class OperationIDAllocator: Sendable {
    private static let blockSize = 256
    private let worker: Int
    private let nextSequence = Lock(0)

    /// - Parameter worker: the load host, 0…1023.
    package init(worker: Int) { self.worker = worker }

    /// A block of ids that nobody else gets.
    package func reserve() -> Block {
        let first = nextSequence.withLock { next in
            defer { next += Self.blockSize }
            return next
        }
        return Block(worker: worker, next: first, end: first + Self.blockSize)
    }

    package struct Block: Sendable {
        fileprivate let worker: Int
        fileprivate var next: Int
        fileprivate let end: Int

        /// The next id; `nil` when the block is used up.
        package mutating func take() -> OperationID? {
            guard next < end else { return nil }
            defer { next += 1 }
            return OperationID(worker: worker, sequence: next)
        }
    }
}
