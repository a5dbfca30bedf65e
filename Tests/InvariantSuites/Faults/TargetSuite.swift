import Foundation
import HostSystem
import RigModel
import RigTestSupport
import Testing

/// Faults on targets that have more parts than a server: what is proven and healed is proven and healed on the right one.
@Suite(.timeLimit(.minutes(20)))
struct TargetSuite {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let target: String
        let faults: [String]
        var pool = ""

        var testDescription: String { name }
    }

    @Test(
        "The fault lands and is healed",
        arguments: [
            // The pooler lets clients in while the server is down.
            Case(
                name: "restart behind a pooler", target: "{postgres: managed, pgbouncer: session}",
                faults: ["{restart: {down-for: 1s}, at: 500ms}"]),
            // Written to the log of the server that was the standby.
            Case(
                name: "a limit of the standby that took over", target: "{postgres: managed, standby: true}",
                faults: [
                    "{failover: {endpoint-moves-after: 500ms}, at: 200ms}",
                    "{statement-timeout: {after: 5ms}, at: 4s, for: 2s}",
                ], pool: ", server-statement-timeout: false"),
            // On another network than the rig's, and on another port than the first server's.
            Case(
                name: "a certificate on a private stage", target: "{postgres: managed, tls: true}",
                faults: [
                    "{packet-loss: {share: 10%}, at: 0s, for: 1s}", "{rotate-certificate: {}, at: 2s, for: 1s}",
                ]),
            Case(
                name: "a certificate after a failover", target: "{postgres: managed, tls: true, standby: true}",
                faults: [
                    "{failover: {endpoint-moves-after: 500ms}, at: 200ms}", "{rotate-certificate: {}, at: 5s, for: 1s}",
                ]),
        ])
    func lands(_ example: Case) async throws {
        let result = try await run(example)
        #expect(result.exitCode == 0, "\(result.output)\n\(result.errors)")
        let faults = try #require(result.report?["faults"]?.arrayValue, "\(result.output)\n\(result.errors)")
        #expect(faults.count == example.faults.count)
        for entry in faults {
            #expect(entry["landed"] == true && entry["healed_at_s"]?.doubleValue != nil, "\(entry.prettyText)")
        }
    }

    @Test("On a server whose log cannot be read a cancelled statement is one that the workload saw cancelled")
    func cancelWithoutALog() async throws {
        let url = try await TestPostgres.shared().url
        let result = try await run(
            Case(
                name: "cancel", target: "{postgres: {url: \"\(url)\"}}",
                faults: ["{cancel-statements: {}, at: 500ms, every: 1s, times: 2}"]))
        #expect(result.exitCode == 0, "\(result.output)\n\(result.errors)")
        let faults = try #require(result.report?["faults"]?.arrayValue, "\(result.output)\n\(result.errors)")
        #expect(faults.count == 2)
        for entry in faults {
            #expect(entry["landed"] == true, "\(entry.prettyText)")
            #expect(entry["evidence"]?["witness"] == "57014 in the workload", "\(entry.prettyText)")
        }
    }

    @Test(
        "A password that the rig does not hold for the pool is not changed: refused before anything starts",
        arguments: [
            Case(
                name: "of a child", target: "{postgres: managed}", faults: ["{rotate-password: {}, at: 0s, for: 1s}"],
                pool: ", process: child"),
            Case(
                name: "of a pooler", target: "{postgres: managed, pgbouncer: session}",
                faults: ["{rotate-password: {}, at: 0s, for: 1s}"]),
            Case(
                name: "a wrong one of a child", target: "{postgres: managed}",
                faults: ["{refuse-authentication: {how: password}, at: 0s, for: 1s}"], pool: ", process: child"),
        ])
    func passwordOfOthers(_ example: Case) async throws {
        let folder = try TemporaryFolder()
        let result = try await Rig.command(["validate", try file(example, in: folder)])
        #expect(result.exitCode == 3, "\(result.output)\n\(result.errors)")
        #expect((result.output + result.errors).contains("the password that the pool logs in with"))
    }

    @Test("A limit that the server's version does not know is refused before anything starts")
    func versionOfTheServer() async throws {
        let folder = try TemporaryFolder()
        for (name, text) in [("initdb", "#!/bin/sh\n"), ("postgres", "#!/bin/sh\necho 'postgres (PostgreSQL) 13.9'\n")]
        {
            try SmallFile.write(Array(text.utf8), to: folder.file(name), mode: 0o755)
        }
        let example = Case(
            name: "version", target: "{postgres: managed}",
            faults: ["{idle-session-timeout: {after: 1s}, at: 0s, for: 1s}"])
        for command in ["validate", "run", "doctor"] {
            let result = try await runProgram(
                path: Rig.path, arguments: [command, try file(example, in: folder)],
                environment: currentEnvironment().merging(["CHAOSRIG_PG_BINDIR": folder.path]) { $1 },
                workingDirectory: folder.path, timeout: .seconds(180))
            let words = result.standardOutput + result.standardError
            #expect(result.exitCode == 3, "\(command): \(words)")
            #expect(words.contains("idle-session-timeout") && words.contains("PostgreSQL 13"), "\(command): \(words)")
        }
    }

    private func file(_ example: Case, in folder: TemporaryFolder) throws -> String {
        let text = """
            name: target
            target: \(example.target)
            pool: {max-open: 4\(example.pool)}
            workload: {clients: 8, rate: 100/s, mix: {append: 50, read: 30, transfer: 20}}
            phases: {warm-up: 500ms, steady: 1s, faults: 7s, settle: 3s}
            faults:
            \(example.faults.map { "  - \($0)" }.joined(separator: "\n"))
            invariants: {zero-leaked-connections: {}, retry-correctness: {}, timeouts: {tolerance: 20s}}

            """
        let path = folder.file("target.yaml")
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private func run(_ example: Case) async throws -> Rig.Result {
        await FaultLanes.shared.enter()
        let folder = try TemporaryFolder()
        let result: Rig.Result
        do {
            result = try await Rig.run(file: try file(example, in: folder), name: "target")
        } catch {
            await FaultLanes.shared.leave()
            throw error
        }
        await FaultLanes.shared.leave()
        return result
    }
}
