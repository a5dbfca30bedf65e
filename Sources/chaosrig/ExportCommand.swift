import Foundation
import HostSystem
import Orchestrator
import RigModel

enum ExportCommand: Command {
    static let name = "export"
    static let summary = "write a stored run's history for other people's checkers"
    static let synopsis = ["DIR [options]"]
    static let details = [
        "Writes the history of a stored run so that Jepsen's checkers (Elle, elle-cli, Knossos) read it. The history must be "
            + "whole; see chaosrig check --help."
    ]
    static let operands = ValueKind.runFolder
    static let options: [OptionSpec] = [
        .value(
            "--format", "FORMAT", "how it is written", default: "edn",
            .words([Word("edn", "one map a line"), Word("json", "one array")])),
        .value(
            "--model", "MODEL", "what the checker shall look at", default: "set",
            .words([
                Word("set", "appends, and the final read of all"),
                Word("list-append", "the same as transactions, a list for each element"),
                Word("bank", "transfers, and the total before and after, as one account: {0 total}"),
                Word(
                    "mutex",
                    "who held one connection, and when, by the last lease of each operation; needs --connection"),
            ])),
        .value("--connection", "N", "the pool's number of the connection, as events name it (\"conn\")"),
        .value("--out", "FILE", "where to", default: "standard output", .file),
    ]
    static let examples = [
        "chaosrig export runs/db-restart/latest --model set > history.edn",
        "chaosrig export runs/db-restart/latest --format json --model list-append --out history.json",
    ]

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        guard arguments.positional.count == 1, let path = arguments.positional.first else {
            throw UsageError("name one run folder, for example runs/db-restart/latest")
        }
        let format = try choice(arguments, "--format", HistoryExport.Format.edn)
        let model = try choice(arguments, "--model", HistoryExport.Model.set)
        let connection = arguments.value("--connection").flatMap { Int($0) }
        guard (model == .mutex) == (connection != nil) else {
            throw UsageError("--model mutex is about one connection: name it with --connection N, and only there")
        }
        let out = arguments.value("--out")
        return await onOwnThread("export") {
            write(StoredRun(path), HistoryExport(format, model, connection: connection), to: out)
        }
    }

    private static func choice<T: RawRepresentable & CaseIterable>(
        _ arguments: ParsedArguments, _ name: String, _ standard: T
    ) throws(UsageError) -> T where T.RawValue == String {
        guard let text = arguments.value(name) else { return standard }
        guard let value = T(rawValue: text) else {
            throw UsageError("\(name) takes \(T.allCases.map(\.rawValue).joined(separator: ", ")), not \"\(text)\"")
        }
        return value
    }

    private static func write(_ stored: StoredRun, _ start: HistoryExport, to out: String?) -> Int32 {
        // Before anything is written: whoever reads a pipe would judge the beginning of a history that is not whole.
        var trial = start
        do throws(RunError) { try stored.read { _ = trial.lines(for: $0) } } catch {
            Output.error("\(error)")
            return error.exitCode
        }
        if let emptiness = trial.emptiness {
            Output.error("chaosrig export: \(emptiness)")
            return 2
        }
        do {
            let file = try ExportFile(out)
            var export = start
            file.append(export.head)
            try stored.read { event in
                for line in export.lines(for: event) { file.append(start.isByLine ? line + "\n" : line) }
            }
            file.append(export.tail + (start.isByLine ? "" : "\n"))
            try file.finish()
            return 0
        } catch {
            Output.error("chaosrig export: cannot write \(out ?? "standard output"): \(error)")
            return 2
        }
    }
}
