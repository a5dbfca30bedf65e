/// The number of an operation, unique over all load hosts, and the attempt that wrote it.
///
/// 10 bits worker, 38 bits sequence, 4 bits attempt: 52 bits, so it survives JSON readers that keep numbers as doubles.
/// A row in the database carries the id with its attempt, so a doubled row says which attempts wrote it.
public struct OperationID: Hashable, Sendable {
    public static let maxWorker = 1 << 10 - 1
    public static let maxSequence = 1 << 38 - 1
    public static let maxAttempt = 1 << 4 - 1

    /// The 52 bits.
    public let rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }

    /// - Parameters:
    ///   - worker: the load host, 0…1023.
    ///   - sequence: counts up within the worker.
    ///   - attempt: 0 for the operation itself, else the attempt, clamped to 15.
    public init(worker: Int, sequence: Int, attempt: Int = 0) {
        precondition((0...Self.maxWorker).contains(worker), "worker \(worker) is outside 0...\(Self.maxWorker)")
        precondition((0...Self.maxSequence).contains(sequence), "sequence \(sequence) does not fit 38 bits")
        rawValue = Int64(worker) << 42 | Int64(sequence) << 4 | Int64(min(max(attempt, 0), Self.maxAttempt))
    }

    public var worker: Int { Int(rawValue >> 42) }
    public var sequence: Int { Int(rawValue >> 4) & Self.maxSequence }
    public var attempt: Int { Int(rawValue) & Self.maxAttempt }
    /// The same operation without its attempt: the key under which invoke, completion and rows meet.
    public var operation: OperationID { OperationID(rawValue: rawValue & ~Int64(Self.maxAttempt)) }

    public func withAttempt(_ attempt: Int) -> OperationID {
        OperationID(worker: worker, sequence: sequence, attempt: attempt)
    }
}
