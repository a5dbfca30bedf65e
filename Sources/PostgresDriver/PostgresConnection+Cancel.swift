import ConnectionPool
import EventLoop
import RigModel
package import Threading

extension PostgresConnection {
    /// How long it may take to end a statement that was given up.
    private static var backgroundLimit: Duration { .seconds(5) }

    /// Asks the server to end the statement that runs now, through a connection of its own (the protocol's CancelRequest; like
    /// libpq's it is never encrypted). Does nothing while no statement runs. Returns when the server has read the request, or
    /// at the deadline.
    package func cancelRunningStatement(deadline: MonotonicInstant) async {
        guard let target = session.runningTarget else { return }
        _ = await CancelRequest(target: target, loop: EventLoop.current ?? loop).run(until: deadline)
    }

    /// Declares the session unusable after a wait that ended early: the answer may still come, and the next statement would
    /// read it as its own. The server is asked, in the background, to end the statement too.
    ///
    /// - Parameter start: when the statement began.
    func giveUp(_ reason: LoopError, from start: MonotonicInstant) -> DriverError {
        let error = DriverError(
            interruption: reason,
            "a statement was given up after \(start.duration(to: .now)), it may still run on the server",
            requestSent: true)
        let end = session.endOfRunningStatement()
        session.damage(error)
        guard let end, reason != .stopped else { return error }
        let (loop, limit) = (EventLoop.current ?? self.loop, MonotonicInstant.now.advanced(by: Self.backgroundLimit))
        Task.detached(executorPreference: loop) { await end.run(on: loop, until: limit) }
        return error
    }
}
