import EventLoop
import Threading

/// How far an exchange with the server has come.
enum Progress {
    case complete
    /// Nothing more can be done without waiting for this.
    case wait(Readiness)
    /// There is more, but others want to run too: look at the deadline, and go on.
    case again
}

/// Waits for what the next step needs. Lets others run when there is more to do at once.
///
/// - Returns: whether there is a next step.
nonisolated(nonsending) func mustGoOn(
    _ progress: Progress, _ watch: SocketWatch, until deadline: MonotonicInstant
) async throws(LoopError) -> Bool {
    switch progress {
    case .complete: return false
    case .wait(let readiness): try await watch.wait(for: readiness, until: deadline)
    case .again:
        if Task.isCancelled { throw .cancelled }
        if deadline <= .now { throw .timedOut }
        await Task.yield()
    }
    return true
}
