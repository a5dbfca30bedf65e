import Benchmarks
import RigModel
import RigTestSupport
import Testing

extension MeasuringTests {
    /// Every scenario of `chaosrig bench peer` on the real database, for a moment.
    @Suite struct BenchPeerTests {
        @Test(
            "Each timed scenario gives a complete line without errors",
            arguments: [
                "A - 1 2 0.05", "A - 6 2 0.05", "Ahold - 6 2 0.1", "B select1 2 2 0.1", "B pk 4 2 0.1", "B upd 4 2 0.1",
                "Bpipe pk 2 2 0.1", "Bpipe upd 2 2 0.1", "C pk 2 0 0.2", "OLTP - 4 2 0.3",
            ])
        func postgres(_ words: String) async throws {
            let row = try await Fixture.measure(words)
            try Fixture.expectComplete(row, words)
            let times = [row.p50, row.p99, row.p999, row.max].compactMap { $0 }
            #expect(times.count == 4)
            #expect(times == times.sorted(), "quantiles ascend")
            #expect(row.peer == "chaosrig")
        }

        @Test("Each way to load rows counts them all", arguments: ["one", "multi", "pipe", "copy", "copyrows"])
        func bulk(_ way: String) async throws {
            let row = try await Fixture.measure("D \(way) 1 1 1700")
            try Fixture.expectComplete(row, way)
            #expect(row.number("rows") == 1700)
            #expect((row.rssMB ?? 0) > 0)
        }

        @Test("SQLite: each operation with each kind of pool", arguments: ["read", "write", "mix90"], [-1, 0, 1, 3])
        func sqlite(_ operation: String, pool: Int) async throws {
            let words = "S \(operation) 3 \(pool) 0.1"
            try Fixture.expectComplete(try await Fixture.measure(words), words)
        }

        @Test("Idle connections: memory and processor time, no operations")
        func idle() async throws {
            let row = try await Fixture.measure("F - 1 3 0.1")
            #expect(row.errors == 0)
            #expect((row.rssMB ?? 0) > 0)
            #expect((row.idleCPUPercent ?? -1) >= 0)
            #expect(row.perSecond == nil)
        }

        @Test("The books of the pool say what the connections did")
        func books() async throws {
            let row = try await measure("B pk 6 2", seconds: 0.2) { ($0.number("statement_reuse") ?? 0) > 0 }
            let utilisation = try #require(row.number("utilisation"))
            #expect(utilisation > 0 && utilisation <= 1)
            let reuse = try #require(row.number("statement_reuse"))
            #expect(reuse > 0 && reuse <= 1)
            #expect(try #require(row.number("check_share")) >= 0)
        }

        @Test("The shop's load uses the results cache and the batcher")
        func orderEntry() async throws {
            let row = try await measure("OLTP - 6 3", seconds: 0.5) {
                ($0.number("cache_hit_share") ?? 0) > 0 && $0.number("items_per_batch") != nil
                    && $0.number("commit_p99_ms") != nil
            }
            #expect(try #require(row.number("cache_hit_share")) > 0)
            #expect(try #require(row.number("items_per_batch")) >= 1)
            #expect(row.number("deadlock_share") == 0)
            #expect(try #require(row.number("commit_p99_ms")) > 0)
        }

        /// Longer and longer, until there were operations enough for the figures: a busy machine does few in a moment.
        private func measure(
            _ words: String, seconds: Double, until isEnough: (BenchRow) -> Bool
        ) async throws -> BenchRow {
            var seconds = seconds
            while true {
                let row = try await Fixture.measure("\(words) \(seconds)")
                if isEnough(row) || seconds > 20 { return row }
                seconds *= 4
            }
        }

        @Test("An operation that fails is counted, and its words are told")
        func failures() async throws {
            let call = PeerCall(.query, "pk", workers: 2, pool: 1, amount: 0.1)
            let database = try await Fixture.database()
            // A search path without the table.
            let dsn = database.dsn + " options='-c search_path=pg_catalog'"
            let row = try await BenchPeer(call, tuning: Fixture.tuning, dsn: dsn).run()
            #expect((row.errors ?? 0) > 0)
            #expect(row.perSecond == 0)
            #expect(row.extra.first { $0.key == "first_error" }?.value.stringValue?.contains("bench_kv") == true)
        }

        @Test("A server that is not there is an error with its reason")
        func noServer() async throws {
            let call = PeerCall(.query, "pk", workers: 1, pool: 1, amount: 0.1)
            var tuning = Fixture.tuning
            // Time for a connect to fail, also on a busy machine.
            tuning.acquireTimeout = .seconds(3)
            let error = await #expect(throws: BenchError.self) {
                try await BenchPeer(call, tuning: tuning, dsn: "host=127.0.0.1 port=1 dbname=x").run()
            }
            #expect(error?.exitCode == 70)
            for words in ["B pk 1 1 0.1: ", "last connect failed: ", "look at the server"] {
                #expect(error?.description.contains(words) == true, "\(error.map { "\($0)" } ?? "")")
            }
        }

        @Test("A DSN that cannot be read is a mistake of the command line, with an example of a good one")
        func badDSN() async throws {
            let error = await #expect(throws: BenchError.self) {
                try await BenchPeer(
                    PeerCall(.query, "pk", workers: 1, pool: 1, amount: 0.1), tuning: Fixture.tuning, dsn: "host"
                ).run()
            }
            #expect(error?.exitCode == 2)
            #expect(error?.description.contains("host=127.0.0.1 port=5432") == true)
        }
    }
}
