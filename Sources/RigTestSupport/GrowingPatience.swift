package import Threading

/// Calls `body` with a deadline that is meant to pass in the middle of something. On a busy machine it may pass before that has
/// begun: then again with four times the patience, until `hasBegun` says that it had, or the patience is over a minute.
///
/// What did not begin must have left no trace.
///
/// - Returns: what the last call returned, and its deadline.
package nonisolated(nonsending) func withGrowingPatience<R>(
    milliseconds: Int, _ body: nonisolated(nonsending) (_ deadline: MonotonicInstant) async throws -> R,
    hasBegun: (R) -> Bool
) async rethrows -> (result: R, deadline: MonotonicInstant) {
    var patience = milliseconds
    while true {
        let deadline = MonotonicInstant.now.advanced(by: .milliseconds(patience))
        let result = try await body(deadline)
        if hasBegun(result) || patience > 60_000 { return (result, deadline) }
        patience *= 4
    }
}
