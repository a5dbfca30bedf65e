import HostSystem
import Orchestrator
import Reporting
import RigModel

enum CompareCommand: Command {
    static let name = "compare"
    static let summary = "put two stored runs beside each other"
    static let synopsis = ["A B [options]"]
    static let details = [
        "Shows what came out otherwise in run B than in run A: verdicts, numbers, and what differs in source, machine and "
            + "scenario. Warns where the numbers are hardly comparable. Whether a change is more than chance two runs cannot "
            + "tell; see `chaosrig report --trend`.",
        "A run is named by its folder, by its number in runs/results.db, or as latest: the newest one, latest~1: the one of the "
            + "same scenario before it.",
    ]
    static let operands = ValueKind.runFolder
    static let options: [OptionSpec] = [
        .value("--out", "DIR", "the folder with results.db", default: "runs", .folder),
        .flag("--json", "print JSON"), .flag("--markdown", "print Markdown"),
    ]
    static let notes = ["Exit code: 0; 2 when a run cannot be read."]
    static let examples = [
        "chaosrig compare latest~1 latest", "chaosrig compare 12 runs/db-restart/20261121T101753Z-7",
    ]

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        guard arguments.positional.count == 2 else { throw UsageError("name two runs, for example latest~1 latest") }
        if arguments.has("--json"), arguments.has("--markdown") { throw UsageError("--json or --markdown, not both") }
        let names = arguments.positional
        for name in names where !SmallFile.exists(name) && Int64(name) == nil && stepsBack(name) == nil {
            throw UsageError(
                "there is no folder \(name); a run is named by its folder, its number in results.db, latest or latest~N"
            )
        }
        let out = arguments.value("--out") ?? "runs"
        let result: Result<Comparison, ResultsError> = await onOwnThread("compare") {
            do throws(ResultsError) {
                return .success(Comparison(try find(names[0], out: out), try find(names[1], out: out)))
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let comparison):
            if arguments.has("--json") {
                Output.line(ComparisonJSON.encode(comparison).prettyText)
            } else if arguments.has("--markdown") {
                Output.line(ComparisonMarkdown.render(comparison))
            } else {
                let screen = Terminal(descriptor: 1)
                Output.line(
                    ComparisonText.render(comparison, width: min(screen.width, 120), color: screen.hasColor))
            }
            return 0
        case .failure(let error):
            Output.error("chaosrig compare: \(error)")
            return 2
        }
    }

    private static func find(_ name: String, out: String) throws(ResultsError) -> FiledRun {
        if SmallFile.exists(name) {
            let run = StoredRun(name)
            do throws(ResultsError) { return try ResultsFiling.read(run.folder) } catch {
                guard case .notAReport(let path, let problem) = error else { throw error }
                throw .notAReport(path: path, problem: problem + run.hint)
            }
        }
        let database = try ResultsDatabase(path: ResultsFiling.path(out: out), mayCreate: false)
        if let id = Int64(name) { return try database.run(id: id) }
        guard let back = stepsBack(name) else { throw .noSuchRun(wanted: "\"\(name)\"", path: database.path) }
        let newest = try database.latest()
        if back == 0 { return newest }
        let runs = try database.runs(of: newest.scenario, last: back + 1)
        guard runs.count == back + 1, let run = runs.first else {
            throw .noSuchRun(wanted: "\(name) (\(newest.scenario) has \(runs.count))", path: database.path)
        }
        return run
    }

    /// 0 for `latest`, 2 for `latest~2`.
    private static func stepsBack(_ name: String) -> Int? {
        if name == "latest" { return 0 }
        guard name.hasPrefix("latest~"), let back = Int(name.dropFirst(7)), (0..<1_000_000).contains(back) else {
            return nil
        }
        return back
    }
}
