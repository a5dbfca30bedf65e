import Benchmarks
import RigTestSupport
import Testing

extension MeasuringTests {
    /// The bare C libraries, measured in the same words.
    @Suite struct BenchLimitTests {
        @Test(
            "Each limit gives a complete line without errors",
            arguments: [
                "A - 4 2 0.05", "B select1 2 2 0.1", "B pk 4 2 0.1", "B upd 4 2 0.1", "Bpipe pk 2 2 0.1",
                "C pk 2 0 0.2",
                "D copy 1 1 1700", "S read 2 0 0.1", "S write 2 1 0.1", "S mix90 2 0 0.1",
            ])
        func limits(_ words: String) async throws {
            let row = try await measure(words)
            try Fixture.expectComplete(row, words)
            #expect(row.peer.hasPrefix("LIMIT "))
        }

        @Test("Rows in statements of several")
        func multi() async throws {
            let row = try await measure("D multi 1 1 1700")
            try Fixture.expectComplete(row, "D multi")
            #expect(row.number("rows") == 1700)
        }

        @Test("A scenario without a limit says so")
        func none() async throws {
            await #expect(throws: BenchError.self) { try await measure("Ahold - 2 1 0.1") }
            await #expect(throws: BenchError.self) { try await measure("D one 1 1 10") }
        }

        private func measure(_ words: String) async throws -> BenchRow {
            let call = try PeerCall(words: words.split(separator: " ").map(String.init))
            return try await BenchLimit(call, tuning: Fixture.tuning, dsn: Fixture.database().dsn).run()
        }
    }
}
