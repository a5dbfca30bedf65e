import Threading

/// Undoing something on a server that another fault may have stopped for a moment.
enum Retrying {
    private static let limit = Duration.seconds(15)

    /// Does it until it succeeds, for 15 s at the most.
    ///
    /// - Throws: its last error.
    static func undo(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Void
    ) async throws {
        let giveUpAt = MonotonicInstant.now.advanced(by: limit)
        while true {
            do { return try await body() } catch {
                guard MonotonicInstant.now < giveUpAt else { throw error }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }
}
