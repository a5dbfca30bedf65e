import RigTestSupport
import Testing

@testable import Benchmarks

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
            for (call, words) in [
                ("Ahold - 2 1 0.1", "no limit to measure scenario Ahold against; measure it with bench peer"),
                ("OLTP - 2 1 0.1", "no limit to measure scenario OLTP against; measure it with bench peer"),
                ("D one 1 1 10", "for multi and copy only, not one; take one of these"),
            ] {
                let error = await #expect(throws: BenchError.self) { try await measure(call) }
                #expect(error?.exitCode == 2, "\(call)")
                #expect(error?.description.contains(words) == true, "\(call): \(error.map { "\($0)" } ?? "")")
            }
        }

        @Test("A COPY that the server refuses, at once or at its end, is an error with the server's words")
        func refusedCopy() async throws {
            let load = try await LibpqBulk(
                connection: PlainLibpq(dsn: Fixture.database().dsn, prepare: false), operation: "copy", rows: 10)
            let missing = #expect(throws: LibpqError.self) { try load.copy() }
            #expect(missing?.description.contains("does not exist") == true)
            // Only the session's own table, which nobody else sees.
            try load.connection.run("CREATE TEMP TABLE \(LibpqBulk.table)(id int CHECK (id < 5), a int, t text)")
            let violated = #expect(throws: LibpqError.self) { try load.copy() }
            #expect(violated?.description.contains("check constraint") == true)
        }

        private func measure(_ words: String) async throws -> BenchRow {
            let call = try PeerCall(words: words.split(separator: " ").map(String.init))
            return try await BenchLimit(call, tuning: Fixture.tuning, dsn: Fixture.database().dsn).run()
        }
    }
}
