import Foundation
import HostSystem
import Orchestrator

enum ReportCommand: Command {
    static let name = "report"
    static let summary = "the HTML report of a stored run, or the trend over all of them"
    static let synopsis = ["DIR [--out FILE]", "--trend [options]"]
    static let details = [
        "Makes report.html from report.json and history.jsonl of the folder that a run left: one page that needs no network and no "
            + "other file. Every run writes it already; this does it again, for example with a newer chaosrig. The verdict is "
            + "that of the run; `chaosrig check` judges it anew. The page of a soak is made from its soak.json.",
        "With --trend: shows the numbers of the stored runs, scenario by scenario, and flags drift: a run that is slower than the "
            + "others by more than chance would give, and a level that changed and stayed. Every run is filed in "
            + "runs/results.db. Runs of another version of the scenario, of another machine or server, interrupted ones, and "
            + "those during which the machine was busier than usual are shown, and not compared. Eight comparable runs are "
            + "needed.",
    ]
    static let operands = ValueKind.runFolder
    static let options: [OptionSpec] =
        [.flag("--trend", "the trend over the stored runs, not the report of one")] + TrendReport.options
    static let notes = [
        "Exit code: 0; 2 when there is nothing to read. With --trend 0 means no drift, or too few runs to tell, and 1 drift."
    ]
    static let examples = [
        "chaosrig report runs/db-restart/latest --out report.html",
        "chaosrig report --trend --scenario db-restart --html trend.html",
    ]

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        if arguments.has("--trend") { return try await TrendReport.run(arguments) }
        if let option = TrendReport.options.map(\.name).first(where: { $0 != "--out" && arguments.has($0) }) {
            throw UsageError("\(option) goes with --trend")
        }
        guard arguments.positional.count == 1, let path = arguments.positional.first else {
            throw UsageError("name one run folder, for example runs/db-restart/latest, or --trend")
        }
        let stored = StoredRun(path)
        let out = arguments.value("--out") ?? (stored.folder as NSString).appendingPathComponent("report.html")
        do throws(RunError) {
            let page = try await onOwnThread(
                "report",
                throwing: { () throws(RunError) -> String in
                    StoredSoak.isSoak(stored.folder) ? try StoredSoak.page(stored.folder) : try stored.page()
                })
            return write(page, to: out)
        } catch {
            Output.error("\(error)")
            return error.exitCode
        }
    }

    private static func write(_ page: String, to out: String) -> Int32 {
        if out == "-" {
            Output.line(page)
            return 0
        }
        // Not the link in its place.
        let path = SmallFile.realPath(out) ?? out
        do throws(SystemError) {
            if SmallFile.isPlain(path) || !SmallFile.exists(path) {
                try SmallFile.replace(path, with: Array(page.utf8))
            } else {
                try SmallFile.write(Array(page.utf8), to: path)
            }
        } catch {
            Output.error("chaosrig report: cannot write \(out): \(errorText(error.code))")
            return 2
        }
        Output.line(out)
        return 0
    }
}
