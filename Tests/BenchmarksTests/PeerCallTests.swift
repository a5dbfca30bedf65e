import Benchmarks
import RigModel
import Testing

@Suite struct PeerCallTests {
    @Test("The five words of the harness are read, and written again")
    func words() throws {
        for line in ["A - 50 10 1", "B pk 64 16 0.5", "D copy 1 1 1000000", "S mix90 16 -1 1"] {
            let words = line.split(separator: " ").map(String.init)
            #expect(try PeerCall(words: words).words == words)
        }
    }

    @Test(
        "What cannot be meant is refused, and the answer names what is expected",
        arguments: [
            ("B pk 8 8", "SCEN OP WORKERS POOL"), ("X pk 8 8 1", "A, Ahold, B"), ("B scan 8 8 1", "select1, pk, upd"),
            ("B pk 0 8 1", "WORKERS"), ("B pk 8 -1 1", "POOL"), ("S read 8 -2 1", "POOL"), ("B pk 8 8 0", "SECS"),
            ("D copy 1 1 x", "ROWS"),
        ])
    func refused(_ line: String, _ expected: String) throws {
        let error = #expect(throws: BenchError.self) {
            try PeerCall(words: line.split(separator: " ").map(String.init))
        }
        #expect(error?.description.contains(expected) == true, "\(error.map { "\($0)" } ?? "")")
        #expect(error?.exitCode == 2)
    }

    @Test("A line of another harness is read, with what we have no name for")
    func lineOfAnotherHarness() throws {
        let line =
            #"{"errors":0,"max_us":17.5,"op":"pk","open":3,"ops_s":2000.5,"p50_us":1.5,"peer":"pgxpool","pool":8,"scen":"B","workers":64}"#
        let row = try #require(BenchRow(jsonLine: line))
        #expect(row.peer == "pgxpool" && row.scenario == "B" && row.workers == 64 && row.pool == 8)
        #expect(row.perSecond == 2000.5 && row.p50 == 1.5 && row.errors == 0 && row.p99 == nil)
        #expect(row.number("open") == 3)
        #expect(BenchRow(jsonLine: "FAIL") == nil)
        #expect(BenchRow(jsonLine: #"{"peer":"x"}"#) == nil)
    }
}
