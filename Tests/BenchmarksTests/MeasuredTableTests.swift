import Benchmarks
import Foundation
import FoundationXML
import RigModel
import Testing

extension MeasuringTests {
    /// The tables with what is really measured, for a moment.
    @Suite struct MeasuredTableTests {
        @Test("The targets can be measured: every job of ours and every limit runs")
        func realJobs() async throws {
            let database = try await Fixture.database()
            var tuning = Fixture.tuning
            tuning.warmUpSeconds = 0
            let runner = InProcessRunner(database: database, tuning: tuning)
            // Less of everything; the F, D and OLTP rows are measured by tests of their own.
            let jobs = TargetTable(hasPeers: false, seconds: 0.05, rows: 500).jobs.filter {
                ![.idle, .bulk, .orderEntry].contains($0.call.scenario)
            }
            let rounds = try await Rounds.run(jobs, count: 1, on: runner, say: { _ in })
            for job in jobs {
                let row = try #require(rounds.results[0][job])
                #expect(row.errors == 0 && (row.perSecond ?? 0) > 0, "\(job): \(row.json.compactText)")
            }
        }

        @Test("pool-vs-none: a table with ten ways, and a chart that parses and says the same in words")
        func poolVersusNone() async throws {
            let comparison = PoolVersusNone(workers: 4, seconds: 0.1)
            let database = try await Fixture.database()
            let rounds = try await Rounds.run(
                comparison.jobs, count: 1, on: InProcessRunner(database: database, tuning: Fixture.tuning),
                say: { _ in })
            let text = comparison.text(rounds)
            for name in [
                "PostgreSQL", "SQLite", "connect per query", "one shared connection", "pool of 25", "unlimited",
            ] {
                #expect(text.contains(name))
            }
            let svg = comparison.svg(rounds, footnote: "a & b <c>")
            let seen = Elements()
            let parser = XMLParser(data: Data(svg.utf8))
            parser.delegate = seen
            #expect(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "")")
            #expect(seen.bars == 10)
            #expect(seen.text.contains("a & b <c>"))
            #expect(svg.contains("prefers-color-scheme: dark"))
            for words in ["connect per query", "pool of 5"] { #expect(seen.words.contains(words)) }
        }
    }
}

private final class Elements: NSObject, XMLParserDelegate {
    var bars = 0
    var text = ""
    var words = ""
    private var element = ""

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        element = name
        if name == "rect", attributes["class"] == "bar" { bars += 1 }
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) {
        if element == "desc" { words += string }
        text += string
    }
}
