package import ConnectionPool
import FaultInjection
import PostgresDriver
import RigModel
import ScenarioFile
import Workloads

/// What somebody else's pool is made from.
package struct PoolOrder: Sendable {
    /// A libpq URL **with its password**, which leads through the rig's relay where there is one.
    package let secretURL: String
    package let host: String
    package let port: UInt16
    package let user: String?
    package let database: String?
    /// What the pool's sessions must bear, so that they can be counted.
    package let applicationName: String
    /// What the scenario says of the pool.
    package let limits: PoolConfiguration
}

/// Somebody else's pool in this process as the pool under test.
enum ForeignPool {
    /// Refuses what cannot be asked of it, before anything is started.
    static func check(_ scenario: Scenario) throws(RunError) {
        var problems: [String] = []
        if scenario.isEmbedded { problems.append("target: a PostgreSQL target is needed") }
        if scenario.pool.process == .child {
            problems.append("pool.process, pool.adapter: the pool is in this process")
        }
        if scenario.pool.commitDoubt == .ask {
            problems.append("pool.commit-doubt: only report, since the rig asks nothing on the pool's behalf")
        }
        if scenario.workload.behaviour.abandonResult > 0 {
            problems.append("workload.behaviour.abandon-result: results are read whole")
        }
        if !scenario.workload.prepared { problems.append("workload.prepared: the pool decides what it prepares") }
        for fault in ScenarioRun.faults(of: scenario) where fault.needs.contains(.secret) {
            problems.append("faults: \(type(of: fault).shape.name): the pool would not learn the new password")
        }
        guard problems.isEmpty else {
            throw .usage((["a pool of your own cannot be tried so:"] + problems).joined(separator: "\n"))
        }
    }

    static func make(
        _ make: @Sendable (PoolOrder) async throws -> any ScopedPool, _ configuration: PostgresConfiguration,
        _ context: TargetContext, begin: SQLStatement, sink: any EventSink
    ) async throws(RunError) -> any PoolUnderTest {
        guard let end = configuration.endpoint ?? configuration.servers.first else {
            throw .usage("target.postgres.url names no server")
        }
        let limits = context.settings.configuration
        let order = PoolOrder(
            secretURL: configuration.secretURL, host: end.host, port: end.port, user: configuration.user,
            database: configuration.database, applicationName: configuration.applicationName ?? "", limits: limits)
        let made: any ScopedPool
        do { made = try await make(order) } catch let error as RunError {
            throw error
        } catch {
            throw .cannotProceed("your pool could not be made: \(error)")
        }
        let pool = ScopedPoolUnderTest(
            made,
            ScopedPoolUnderTest.Options(
                policy: context.settings.policy, acquireTimeout: limits.acquireTimeout,
                closeTimeout: limits.closeTimeout, begin: begin, seed: context.seed),
            runtime: LoopRuntime(loops: context.poolLoops), sink: sink)
        return context.decoration.pool(pool)
    }
}
