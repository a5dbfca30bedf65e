import Benchmarks
import DatabaseServers
import RigModel
import RigTestSupport
import Testing
import Threading

/// Measurements on the shared server. They share its tables, so one at a time.
@Suite(.serialized) struct MeasuringTests {}

/// What the tests of the benchmarks share: measurements that last a blink. What they measure means nothing.
enum Fixture {
    /// The shared server with the benchmark's table, filled once.
    static func database() async throws -> BenchDatabase { try await filling.value }

    private static let filling = Task {
        let server = try await TestPostgres.shared()
        let database = BenchDatabase(port: server.port, role: server.server.role)
        try await database.fill()
        return database
    }

    static var tuning: PeerCall.Tuning {
        var tuning = PeerCall.Tuning(loops: 2)
        tuning.warmUpSeconds = 0.01
        return tuning
    }

    /// One measurement of ours.
    static func measure(_ words: String) async throws -> BenchRow {
        let call = try PeerCall(words: words.split(separator: " ").map(String.init))
        return try await BenchPeer(call, tuning: tuning, dsn: database().dsn).run()
    }

    /// Everything that a line of the harness must say, and nothing failed.
    static func expectComplete(_ row: BenchRow, _ words: String) throws {
        #expect(row.errors == 0, "\(words): \(row.json.compactText)")
        #expect((row.perSecond ?? 0) > 0, "\(words)")
        let parsed = try #require(BenchRow(jsonLine: row.json.compactText), "\(words)")
        #expect(parsed.json.compactText == row.json.compactText)
    }
}
