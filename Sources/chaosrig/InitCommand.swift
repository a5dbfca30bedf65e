import Foundation
import HostSystem
import Orchestrator
import RigModel
import ScenarioFile

enum InitCommand: Command {
    static let name = "init"
    static let summary = "write a commented scenario to begin with"
    static let synopsis = ["[FILE] [options]"]
    static let details = [
        "Asks nothing: the scenario runs as it is, and each of its lines says what to change. The database is a private "
            + "PostgreSQL server where one is installed, else a temporary SQLite file. FILE: scenario.yaml where none is named. "
            + "A file that is there stays, unless --force is given."
    ]
    static let operands = ValueKind.file
    static let options: [OptionSpec] = [
        .value(
            "--target", "KIND", "the database", default: "postgres where it is installed, else sqlite",
            .words(ScenarioTemplate.Target.allCases.map(\.rawValue))),
        .flag("--schema", "write chaosrig.schema.json beside it, too, so that an editor completes and checks the file"),
        .flag("--force", "replace files that are there"),
    ]
    static let examples = ["chaosrig init checkout.yaml && chaosrig run checkout.yaml"]

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        guard arguments.positional.count <= 1 else { throw UsageError("init writes one file") }
        let file = arguments.positional.first ?? "scenario.yaml"
        let target = try await target(arguments.value("--target"))
        let name = (file as NSString).lastPathComponent
        guard name.hasSuffix(".yaml") || name.hasSuffix(".yml") else {
            throw UsageError("a scenario file ends in .yaml: \(file).yaml?")
        }
        let schema = arguments.has("--schema") ? "chaosrig.schema.json" : nil
        let stem = (name as NSString).deletingPathExtension
        let template = ScenarioTemplate(
            target: target, schema: schema, name: ScenarioName.isValid(stem) ? nil : ScenarioName.near(stem))
        let folder = (file as NSString).deletingLastPathComponent
        guard folder.isEmpty || FileManager.default.fileExists(atPath: folder) else {
            Output.error(
                "chaosrig init: there is no folder \(folder); make it first: mkdir -p \(ShellWord.quoted(ShellWord.file(folder)))"
            )
            return 2
        }
        var files = [(path: file, text: template.text)]
        if let schema {
            files.append(
                (
                    path: (folder as NSString).appendingPathComponent(schema),
                    text: ScenarioSchema(Catalogue.scenario).json.prettyText + "\n"
                ))
        }
        // Another scenario beside it wrote the same one.
        if schema != nil, SmallFile.bytes(files[1].path) == Array(files[1].text.utf8) { files.removeLast() }
        if !arguments.has("--force"),
            let there = files.first(where: { FileManager.default.fileExists(atPath: $0.path) })
        {
            Output.error("chaosrig init: \(there.path) is there; name another file, or replace it with --force")
            return 2
        }
        for file in files {
            if (try? FileManager.default.destinationOfSymbolicLink(atPath: file.path)) != nil {
                Output.error(
                    "chaosrig init: \(file.path) is a symbolic link, and is not written through; name the file itself")
                return 2
            }
            do { try SmallFile.write(Array(file.text.utf8), to: file.path) } catch {
                Output.error("chaosrig init: cannot write \(file.path): \(error)")
                return 2
            }
            Output.line("wrote \(file.path)")
        }
        Output.line("next: chaosrig run \(ShellWord.quoted(ShellWord.file(file)))")
        return 0
    }

    private static func target(_ word: String?) async throws(UsageError) -> ScenarioTemplate.Target {
        guard let word else { return await Examination.hasServer() ? .postgres : .sqlite }
        guard let target = ScenarioTemplate.Target(rawValue: word) else {
            throw UsageError("--target takes postgres or sqlite, not \"\(word)\"")
        }
        return target
    }
}
