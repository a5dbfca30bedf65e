import Benchmarks
import Foundation
import RigModel
import Testing
import Threading

/// Gives each job the same made-up figures, but ours twice the rate in the second round.
private final class ScriptedRunner: BenchRunner {
    let count = Lock<[BenchJob: Int]>([:])

    func run(_ job: BenchJob) async throws(BenchError) -> BenchRow {
        let round = count.withLock { count -> Int in
            count[job, default: 0] += 1
            return count[job] ?? 0
        }
        var row = BenchRow(peer: job.name, job.call)
        row.perSecond = job.program == .ours ? 1000 * Double(round) : 500
        (row.p50, row.p99, row.p999, row.max, row.errors) = (1, 2, 3, 4, 0)
        row.rssMB = 30
        row.idleCPUPercent = 0.01
        row.extra = [.init("idle_rss_mb", 5), .init("utilisation", 0.95)]
        return row
    }
}

@Suite struct TableTests {
    @Test("Every row of the targets is judged by the medians of its rounds")
    func targets() async throws {
        let table = TargetTable(hasPeers: true, seconds: 1, rows: 10)
        let lines = Lock<[JSONValue]>([])
        let rounds = try await Rounds.run(
            table.jobs, count: 2, on: ScriptedRunner(), say: { _ in },
            show: { line in lines.withLock { $0.append(line) } })
        let rows = table.text(rounds).split(separator: "\n").map { line in
            line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        func row(_ title: String) throws -> [String] { try #require(rows.first { $0.first == title }, "\(title)") }

        // Ours 1000/s and 2000/s against 500/s: ratios 2 and 4, so 3.
        let look = try row("look-up by key, 64/16")
        #expect(look[2] == "1500/s" && look[4] == "3.00 (2.00-4.00)" && look[5] == "2" && look[6] == "met")
        // In time it is the other way round: 1 ms and 0.5 ms against 2 ms.
        #expect(try row("acquire + release, 1 on 10")[4] == "0.38 (0.25-0.50)")
        #expect(try row("COPY of 10 rows")[6] == "met")
        #expect(try row("its memory above idle")[6] == "MISSED")
        #expect(try row("100 idle connections")[6] == "MISSED")
        #expect(try row("their processor time")[6] == "met")
        // Nobody said anything about it.
        #expect(try row("results cache, order entry")[6] == "-")
        #expect(table.failures(rounds).isEmpty)
        #expect(lines.withLock { $0.count } == 2 * table.jobs.count)
        #expect(lines.withLock { $0.allSatisfy { $0["round"]?.intValue != nil && $0["load1"]?.doubleValue != nil } })
    }

    @Test("Without the peers' programs nothing is demanded of rows that name them")
    func withoutPeers() async throws {
        let table = TargetTable(hasPeers: false, seconds: 1, rows: 10)
        let rounds = try await Rounds.run(table.jobs, count: 1, on: ScriptedRunner(), say: { _ in })
        let text = table.text(rounds)
        #expect(text.contains("needs --peers"))
        #expect(!text.contains("hikari"))
    }
}
