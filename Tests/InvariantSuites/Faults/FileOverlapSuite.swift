import Foundation
import RigModel
import RigTestSupport
import Testing

/// Faults of one file that last at the same time.
@Suite(.timeLimit(.minutes(10)))
struct FileOverlapSuite {
    @Test(
        "Each is healed at its own end, though the other still stands in the way",
        arguments: [
            [("slow-io: {}", "500ms", "2s"), ("lock-database: {}", "1500ms", "4s")],
            [("lock-database: {}", "500ms", "2s"), ("slow-io: {write: 500ms}", "1500ms", "4s")],
            [("io-error: {share: 50%}", "500ms", "2s"), ("sqlite-read-only: {}", "1500ms", "4s")],
        ])
    func bothAreHealed(_ faults: [(fault: String, at: String, length: String)]) async throws {
        let folder = try TemporaryFolder()
        let text = """
            name: overlap
            target: {sqlite: temporary}
            pool: {max-open: 4}
            workload: {clients: 8, rate: 100/s, mix: {append: 50, read: 30, transfer: 20}}
            phases: {warm-up: 500ms, steady: 1s, faults: 6s, settle: 4s}
            faults:
            \(faults.map { "  - {\($0.fault), at: \($0.at), for: \($0.length)}" }.joined(separator: "\n"))
            invariants:
              zero-leaked-connections: {}
              retry-correctness: {}
              timeouts: {tolerance: 20s}

            """
        try text.write(toFile: folder.file("overlap.yaml"), atomically: true, encoding: .utf8)
        let result = try await Rig.run(file: folder.file("overlap.yaml"), name: "overlap")
        #expect(result.exitCode == 0, "\(result.output)\n\(result.errors)")
        let entries = try #require(result.report?["faults"]?.arrayValue)
        #expect(entries.count == 2)
        for entry in entries {
            #expect(entry["landed"] == true && entry["healed_at_s"]?.doubleValue != nil, "\(entry.prettyText)")
        }
    }
}
