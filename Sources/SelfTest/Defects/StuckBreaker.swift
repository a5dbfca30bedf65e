import ConnectionPool
import RigModel
import Threading
import Workloads

/// Once an acquire has failed the pool refuses all that follow.
struct StuckBreaker: PoolDefect {
    private let refusal = Memory<UseReport?>(nil)

    func use(_ request: UseRequest, of pool: any PoolUnderTest) async -> UseReport {
        if let report = refusal.withLock({ $0 }) {
            try? await Task.sleep(for: .milliseconds(5))
            return report
        }
        let report = await pool.use(request)
        if report.outcome == .fail, report.completion.error?.phase == .acquire { refusal.withLock { $0 = report } }
        return report
    }
}
