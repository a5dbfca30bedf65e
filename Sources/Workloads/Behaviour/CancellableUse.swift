import ConnectionPool
import RigModel
import Threading

/// One use of a pool that is cancelled where its behaviour says so: in a task of its own, so that the client goes on.
struct CancellableUse: Sendable {
    let pool: any PoolUnderTest
    let runtime: any PoolRuntime
    /// Where uses are chosen when they come to the moment of their cancel.
    var quota: CancelQuota?

    /// - Returns: the pool's report, with a note of the cancel if there was one.
    func use(_ request: UseRequest) async -> UseReport {
        guard let wanted = request.behaviour?.cancel else { return await pool.use(request) }
        if wanted.isByQuota { quota?.add() }
        let cancelSwitch = CancelSwitch(wanted, quota: quota, runtime: runtime)
        var watched = request
        watched.cancelSwitch = cancelSwitch
        let requested = watched
        let answer = Lock<UseReport?>(nil)
        let task = runtime.run(near: -1) { [pool] in
            let report = await pool.use(requested)
            answer.withLock { $0 = report }
        }
        cancelSwitch.watch(task)
        // The end of the workload cancels it, too.
        await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        let endedAt = runtime.now
        guard var report = answer.withLock({ $0 }) else { preconditionFailure("a use that has ended has a report") }
        guard let cancelled = cancelSwitch.end() else { return report }
        var note: [JSONValue.Member] = [
            .init("at", .string(cancelled.at)),
            .init("took_ns", JSONValue(cancelled.instant.duration(to: endedAt).nanoseconds)),
        ]
        if cancelled.isOfQuery {
            // Nobody has cancelled the call, so it swallows nothing.
            report.completion.add(.init("query-cancel", .object(note)))
            return report
        }
        if report.outcome == .ok { note.append(.init("returned", true)) }
        report.completion.add(.init("cancel", .object(note)))
        return report
    }
}
