import HostSystem
import Orchestrator
import Reporting
import RigModel

/// `chaosrig report --trend`.
enum TrendReport {
    static let options: [OptionSpec] = [
        .value("--scenario", "NAME", "the trend of this scenario only"),
        .value("--last", "N", "the trend of so many of its runs that can be compared (2…500)", default: "30"),
        .value(
            "--out", "PATH",
            "where a run's page goes (- is standard output); with --trend the folder with results.db and "
                + "the run folders", default: "report.html in the run folder; runs", .file),
        .value(
            "--html", "FILE", "write the trend as one page with a chart for each metric (- is standard output)", .file),
        .flag("--markdown", "print the trend as Markdown, for the summary of a CI job"),
        .flag("--json", "print the trend as JSON: runs, metrics, drift"),
        .flag("--newest", "exit with 1 only for drift that the newest run has, too"),
        .flag("--refile", "first file every run folder, as when results.db was lost"),
    ]

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        if let word = arguments.positional.first { throw UsageError("--trend takes no \"\(word)\"") }
        let printed =
            ["--json", "--markdown"].filter(arguments.has) + (arguments.value("--html") == "-" ? ["--html -"] : [])
        if printed.count > 1 { throw UsageError("\(printed.joined(separator: " or ")), not both") }
        let last = try arguments.number("--last", 2...500) ?? 30
        let out = arguments.value("--out") ?? "runs"
        let scenario = arguments.value("--scenario")
        let wantsRefiling = arguments.has("--refile")
        let result: Result<Found, ResultsError> = await onOwnThread("trend") {
            do throws(ResultsError) {
                return .success(try read(out: out, scenario: scenario, last: last, refile: wantsRefiling))
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(.trends(let trends, let database)): return show(trends, database: database, arguments)
        case .success(.nothing(let database)):
            Output.error(
                "chaosrig report: no run is filed in \(database); `chaosrig run` files one, and --refile those that are there"
            )
            return 2
        case .success(.unknownScenario(let names)):
            let wanted = scenario ?? ""
            let near = NearestName.of(wanted, in: names).map { " Did you mean \"\($0)\"?" } ?? ""
            throw UsageError(
                "no run of a scenario \"\(wanted)\" is filed; there are \(names.joined(separator: ", ")).\(near)")
        case .failure(let error):
            Output.error("chaosrig report: \(error)")
            return 2
        }
    }

    /// A scenario that was renamed or given up would else keep its last trend for ever.
    private static let shownDays = 30

    private enum Found: Sendable {
        case trends([Trend], database: String)
        case nothing(database: String)
        case unknownScenario([String])
    }

    private static func read(
        out: String, scenario: String?, last: Int, refile: Bool
    ) throws(ResultsError) -> Found {
        if refile {
            let (filed, problems) = try ResultsFiling.refile(out: out)
            for problem in problems { Output.error("chaosrig report: \(problem)") }
            Output.error("chaosrig report: filed \(filed) run folders")
        }
        let database = try ResultsDatabase(path: ResultsFiling.path(out: out), mayCreate: false)
        let names = try database.scenarios()
        if names.isEmpty { return .nothing(database: database.path) }
        if let scenario, !names.contains(scenario) { return .unknownScenario(names) }
        let wanted = if let scenario { [scenario] } else { try database.scenarios(ofLastDays: shownDays) }
        let retired = names.count - wanted.count
        if scenario == nil, retired > 0 {
            Output.error(
                "chaosrig report: \(retired) scenario\(retired == 1 ? " was" : "s were") not run for \(shownDays) days before the "
                    + "newest run, and left out; --scenario shows one")
        }
        var trends: [Trend] = []
        for name in wanted {
            trends.append(
                Trend(scenario: name, runs: try database.comparableRuns(of: name, last: last), among: wanted.count))
        }
        return .trends(trends, database: database.path)
    }

    private static func show(_ trends: [Trend], database: String, _ arguments: ParsedArguments) -> Int32 {
        let page = arguments.value("--html")
        if let path = page, path != "-" {
            do { try SmallFile.write(Array(TrendHTML.render(trends).utf8), to: path) } catch {
                Output.error("chaosrig report: \(error)")
                return 2
            }
        }
        if page == "-" {
            Output.line(TrendHTML.render(trends))
        } else if arguments.has("--json") {
            Output.line(TrendJSON.encode(trends, database: database).prettyText)
        } else if arguments.has("--markdown") {
            Output.line(TrendMarkdown.render(trends))
        } else {
            let screen = Terminal(descriptor: 1)
            Output.line(TrendText.render(trends, width: min(screen.width, 120), color: screen.hasColor))
        }
        let drifted = trends.contains { arguments.has("--newest") ? $0.hasDriftNow : $0.hasDrift }
        return drifted ? 1 : 0
    }
}
