/// The seeds whose lives are being lived, one for each thread, where a crash handler can read them: a trap of the machine ends
/// the process before anything could be thrown.
package final class SeedsInFlight: @unchecked Sendable {
    // @unchecked: each thread writes its own word, and only a crash handler reads.
    private let words: UnsafeMutablePointer<UInt64>
    package let count: Int

    /// - Parameter threads: of the exploration.
    package init(threads: Int) {
        count = max(1, threads)
        words = .allocate(capacity: count)
        words.initialize(repeating: .max, count: count)
    }

    deinit { words.deallocate() }

    /// As long as this lives; `UInt64.max` for none.
    package var pointer: UnsafePointer<UInt64> { UnsafePointer(words) }

    func set(_ thread: Int, _ seed: UInt64) { if thread < count { words[thread] = seed } }
}
