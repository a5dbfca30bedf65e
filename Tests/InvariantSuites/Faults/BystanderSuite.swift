import ConnectionPool
import DatabaseServers
import EventLoop
import Foundation
import PostgresDriver
import RigModel
import RigTestSupport
import Testing
import Threading

/// Faults on a server that is shared hit the run's own sessions and nobody else's.
@Suite(.timeLimit(.minutes(30)))
struct BystanderSuite {
    @Test("Sessions of another application on the same server notice nothing, whatever the fault")
    func bystandersNoticeNothing() async throws {
        var options = ManagedPostgres.Options()
        options.maxConnections = 200
        try await TestPostgres.withPrivateServer(options) { server in
            let bystander = try await Bystander(server.url)
            let tried = try await withThrowingTaskGroup(of: String?.self) { group in
                for fault in FaultCase.all where fault.target == "{postgres: managed}" {
                    group.addTask { try await run(fault, on: server.url) }
                }
                return try await group.reduce(into: [String]()) { if let kind = $1 { $0.append(kind) } }
            }
            let seen = await bystander.stop()
            #expect(seen.failures == [])
            #expect(seen.pids.count == 1, "its session was replaced")
            #expect(seen.answers > 100)
            // Else it had nothing to notice.
            for kind in ["kill-connections", "max-lifetime", "reset", "cut"] { #expect(tried.contains(kind)) }
        }
    }

    /// - Returns: the kind, when it could be injected into a server that is not the run's own.
    private func run(_ fault: FaultCase, on url: String) async throws -> String? {
        let folder = try TemporaryFolder()
        let file = folder.file("case-\(fault.kind).yaml")
        let text = fault.scenario(fault.lands, target: "{postgres: {url: \"\(url)\"}}", pool: fault.pool)
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let check = try await Rig.command(["validate", file])
        guard check.exitCode == 0 else { return nil }
        await FaultLanes.shared.enter()
        let result: Rig.Result
        do {
            result = try await Rig.run(file: file, name: "case-\(fault.kind)")
        } catch {
            await FaultLanes.shared.leave()
            throw error
        }
        await FaultLanes.shared.leave()
        #expect(result.exitCode == 0, "\(fault.kind): \(result.output)\n\(result.errors)")
        return fault.kind
    }
}

/// Another application on the server, with the role and the database of the pool: one session that asks all the time, and
/// one in a transaction.
private final class Bystander: Sendable {
    struct Seen: Sendable {
        var answers = 0
        var pids: Set<Int64> = []
        var failures: [String] = []
    }

    private let loop: EventLoop
    private let waiting: PostgresDriver.Connection
    private let asking: Task<Seen, Never>

    init(_ url: String) async throws {
        var configuration = try PostgresConfiguration(url: url)
        configuration.applicationName = "shop"
        loop = try EventLoop(name: "bystander")
        let driver = PostgresDriver(configuration: configuration, loop: loop)
        waiting = try await driver.connect(deadline: .now.advanced(by: .seconds(30)))
        _ = try await waiting.execute(SQLStatement("BEGIN", role: .begin), deadline: .now.advanced(by: .seconds(30)))
        _ = try await waiting.execute(
            SQLStatement("CREATE TEMPORARY TABLE basket (id int)", role: .write),
            deadline: .now.advanced(by: .seconds(30)))
        let connection = try await driver.connect(deadline: .now.advanced(by: .seconds(30)))
        asking = Task {
            var seen = Seen()
            while !Task.isCancelled {
                do {
                    let result = try await connection.execute(
                        // A statement in flight nearly all the time: who cancels strangers' would hit it.
                        SQLStatement("SELECT pg_backend_pid() FROM pg_sleep(0.01)", role: .read),
                        deadline: .now.advanced(by: .seconds(60)))
                    seen.answers += 1
                    if let pid = result.rows.first?.first?.intValue { seen.pids.insert(pid) }
                } catch {
                    if !Task.isCancelled { seen.failures.append("\(error)") }
                    break
                }
            }
            await connection.close(deadline: .now.advanced(by: .seconds(5)))
            return seen
        }
    }

    /// Ends both sessions.
    ///
    /// - Returns: what they noticed.
    func stop() async -> Seen {
        asking.cancel()
        var seen = await asking.value
        do {
            let deadline = MonotonicInstant.now.advanced(by: .seconds(60))
            _ = try await waiting.execute(SQLStatement("SELECT count(*) FROM basket", role: .read), deadline: deadline)
            _ = try await waiting.execute(SQLStatement("COMMIT", role: .commit), deadline: deadline)
        } catch {
            seen.failures.append("in a transaction: \(error)")
        }
        await waiting.close(deadline: .now.advanced(by: .seconds(5)))
        loop.shutdown()
        return seen
    }
}
