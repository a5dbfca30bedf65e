import Threading

/// Undoing something on a server that another fault may have stopped for a moment.
enum Retrying {
    private static let limit = Duration.seconds(15)
    /// Where the machine is so busy that the time is over after one try.
    private static let leastTries = 5

    /// Does it until it succeeds, for 15 s at the most, and at least five times.
    ///
    /// - Throws: its last error.
    static func undo(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Void
    ) async throws {
        let giveUpAt = MonotonicInstant.now.advanced(by: limit)
        var tries = 0
        while true {
            tries += 1
            do { return try await body() } catch {
                guard MonotonicInstant.now < giveUpAt || tries < leastTries else { throw error }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }
}
