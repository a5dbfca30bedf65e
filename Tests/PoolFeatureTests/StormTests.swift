import ConnectionPool
import DatabaseServers
import EventLoop
import Glibc
import PostgresDriver
import RigModel
import RigTestSupport
import Testing
import Threading
import Workloads

/// A thousand tasks on sixteen connections, cancelled at random moments while connections are killed: at the end every
/// operation is accounted for, no slot is lost, and no session is left on the server.
///
/// Runs for `CHAOSRIG_STORM_SECONDS` (10 where it is not set; the issue's own figure is 60).
@Suite("A storm of cancellations and kills", .timeLimit(.minutes(15)))
struct StormTests {
    private static let seconds = getenv("CHAOSRIG_STORM_SECONDS").flatMap { Double(String(cString: $0)) } ?? 10

    @Test("loses nothing: no operation, no slot, no session")
    func storm() async throws {
        let loops = try EventLoopGroup(count: 4, name: "storm")
        defer { loops.shutdown() }
        try await TestPostgres.withPrivateServer { server in try await run(Storm(url: server.url, loops: loops), loops)
        }
    }

    private func run(_ storm: Storm, _ loops: EventLoopGroup) async throws {
        let killer = Task(executorPreference: loops.loops[0]) { try await storm.killUntilStopped() }
        let end = MonotonicInstant.now.advanced(by: .seconds(Self.seconds))
        let ledgers = try await withThrowingTaskGroup(of: [Storm.Entry].self) { group in
            for worker in 0..<1000 {
                group.addTask(executorPreference: loops.loops[worker % 4]) {
                    try await storm.work(worker, on: loops.loops[worker % 4], until: end)
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        storm.stopKilling()
        let kills = try await killer.value

        // The storm was one.
        let outcomes = Dictionary(grouping: ledgers, by: \.outcome).mapValues(\.count)
        #expect(outcomes[.ok, default: 0] > 100, "\(outcomes)")
        #expect(ledgers.count { $0.wasCancelled } > 10)
        #expect(kills > 5)
        #expect(storm.pool.metrics.lostClosed > 0)

        // No slot was lost: all sixteen can be had at once.
        #expect(storm.pool.gauges.inUse == 0)
        #expect(storm.pool.gauges.waiting == 0)
        #expect(storm.pool.brokenInvariant() == nil)
        #expect(try await storm.borrowAllAtOnce() == Storm.connections)

        // Every operation is accounted for.
        let written = try await storm.writtenRows()
        for entry in ledgers {
            let rows = written[entry.id, default: 0]
            switch entry.outcome {
            case .ok: #expect(rows == entry.rows, "\(entry) was acknowledged, and wrote \(rows)")
            case .fail: #expect(rows == 0, "\(entry) certainly failed, and wrote \(rows)")
            case .info: #expect([0, entry.rows].contains(rows), "\(entry) is half done: \(rows)")
            }
        }
        #expect(Set(written.keys).isSubset(of: Set(ledgers.map(\.id))))

        // Nothing is left.
        #expect(await storm.pool.close() == 0)
        #expect(storm.pool.brokenInvariant() == nil)
        try await storm.untilSessions(named: storm.applicationName) { $0 == 0 }
        await storm.end()
    }
}
