import Foundation
import RigModel
import RigTestSupport
import Testing

/// Faults of one run that are in each other's way.
@Suite(.timeLimit(.minutes(20)))
struct OverlapSuite {
    private func run(_ faults: String) async throws -> Rig.Result {
        let folder = try TemporaryFolder()
        let file = folder.path + "/overlap.yaml"
        let text = """
            name: overlap
            target: {postgres: managed}
            pool: {max-open: 4, min-idle: 2}
            workload: {clients: 8, rate: 100/s, mix: {append: 50, read: 30, transfer: 20}}
            phases: {warm-up: 500ms, steady: 1s, faults: 20s, settle: 6s}
            faults:
            \(faults)
            invariants:
              zero-leaked-connections: {}
              retry-correctness: {}
              timeouts: {tolerance: 20s}

            """
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        return try await Rig.run(file: file, name: "overlap")
    }

    @Test(
        "Each lands and is healed",
        arguments: [
            // The server is away when it is time to heal; and writes are refused when it is time to heal.
            """
              - {read-only: {}, at: 0s, for: 5s}
              - {reload: {}, at: 0s, for: 5s}
              - {restart: {down-for: 4s}, at: 4s}
              - {slots-exhausted: {}, at: 11s, for: 4s}
              - {read-only: {}, at: 13s, for: 6s}
            """,
            // The pool's role is refused when it is time to heal.
            """
              - {slots-exhausted: {}, at: 0s, for: 12s}
              - {crash: {what: backend}, at: 3s}
              - {restart: {}, at: 8s}
              - {refuse-authentication: {}, at: 14s, for: 5s}
              - {freeze: {what: postmaster}, at: 17s, for: 50ms}
            """,
            // The second one begins late.
            """
              - sequence:
                  - restart: {mode: smart, smart-limit: 2s, down-for: 500ms}
                  - freeze: {what: server}
                    for: 1s
                at: 0s
            """,
        ])
    func eachIsHealed(_ faults: String) async throws {
        let result = try await run(faults)
        #expect(result.exitCode == 0, "\(result.output)\n\(result.errors)")
        let entries = try #require(result.report?["faults"]?.arrayValue)
        #expect(
            !entries.isEmpty && entries.allSatisfy { $0["landed"] == true && $0["healed_at_s"]?.doubleValue != nil })
    }

    @Test(
        "Those of which one takes away what the other needs are refused beforehand",
        arguments: [
            ("freeze: {what: backend}", "restart: {}", Int32(2)),
            ("connections-disallowed: {}", "read-only: {}", 2),
        ])
    func disputesAreFound(_ lasting: String, _ other: String, _ exitCode: Int32) async throws {
        let result = try await run("  - {\(lasting), at: 1s, for: 3s}\n  - {\(other), at: 2s}")
        #expect(result.exitCode == exitCode, "\(result.output)\n\(result.errors)")
        #expect(result.errors.contains("may meet at 2 s"), "\(result.errors)")
    }
}
