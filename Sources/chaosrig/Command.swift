import FaultInjection
import Glibc
import Orchestrator
import Reporting
import RigModel

/// One command of the command line. What it says about itself is the source of `--help`, of the manual and of completions.
protocol Command: Sendable {
    static var name: String { get }
    /// One line for the list of commands.
    static var summary: String { get }
    /// What stands behind the name, one form after the other: `FILE… [options]`.
    static var synopsis: [String] { get }
    /// What it does: paragraphs.
    static var details: [String] { get }
    /// What the words behind it are that are no options.
    static var operands: ValueKind { get }
    static var options: [OptionSpec] { get }
    /// What comes after the options, for example exit codes: paragraphs.
    static var notes: [String] { get }
    /// Whole commands.
    static var examples: [String] { get }
    /// - Returns: the exit code, as in README.md.
    /// - Throws: ``UsageError`` for arguments that parse but make no sense.
    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32
}

extension Command {
    static var operands: ValueKind { .free }
    static var options: [OptionSpec] { [] }
    static var notes: [String] { [] }
}

/// Every command. A new one is one file and one line here.
enum CommandTable {
    static let all: [any Command.Type] = [
        InitCommand.self, RunCommand.self, SoakCommand.self, ReplayCommand.self, CheckCommand.self,
        ValidateCommand.self,
        ReportCommand.self, CompareCommand.self, ListCommand.self, SchemaCommand.self, DoctorCommand.self,
        HealCommand.self, ExportCommand.self,
        ProxyCommand.self, SimulateCommand.self, SelfTestCommand.self, BenchCommand.self, CompletionsCommand.self,
        ManualCommand.self, VersionCommand.self,
    ]

    static func run(_ arguments: [String]) async -> Int32 {
        guard let name = arguments.first else {
            Output.error(overview)
            return 2
        }
        let rest = Array(arguments.dropFirst())
        switch name {
        case "--help", "-h", "help":
            guard name == "help", let topic = rest.first,
                rest.count > 1 || !["help", "--help", "-h"].contains(topic)
            else {
                Output.line(overview)
                return 0
            }
            guard rest.count == 1 else {
                Output.error("chaosrig help: name one command, not \(rest.count)\nSee: chaosrig --help")
                return 2
            }
            guard let command = all.first(where: { $0.name == topic }) else { return unknown(topic) }
            showHelp(command)
            return 0
        case "--version": return await run(["version"])
        case WatchdogCommand.name: return WatchdogCommand.run(rest)
        case StageCommand.name: return StageCommand.run(rest)
        case SocketKillTrial.command: return SocketKillTrial.main()
        case ControlGroupTrial.command: return ControlGroupTrial.main(rest)
        case PacketQueueCommand.name: return PacketQueueCommand.main(rest)
        case SelfTestRunCommand.name: return await SelfTestRunCommand.run(rest)
        case SQLiteWorkCommand.name: return SQLiteWorkCommand.run(rest)
        case PoolProcessMain.command: return await PoolProcessMain.run()
        default: break
        }
        guard let command = all.first(where: { $0.name == name }) else { return unknown(name) }
        // Behind -- no word is an option.
        let own = rest.prefix { $0 != "--" }
        if own.contains("--help") || own.contains("-h") {
            showHelp(command)
            return 0
        }
        do throws(UsageError) {
            let arguments = try ParsedArguments(rest, command.options)
            try arguments.refuseEmpty(command.operands)
            return try await command.run(arguments)
        } catch {
            Output.error("chaosrig \(name): \(error.message)\nSee: chaosrig \(name) --help")
            return 2
        }
    }

    private static func showHelp(_ command: any Command.Type) {
        let width = Terminal(descriptor: STDOUT_FILENO).width
        Output.line(CommandHelp(command: command, width: max(40, min(width, 110))).text)
    }

    private static func unknown(_ name: String) -> Int32 {
        let names = name.hasPrefix("-") ? ["--help", "--version"] : all.map { $0.name } + ["help"]
        let near = NearestName.of(name, in: names).map { " Did you mean \"\($0)\"?" } ?? ""
        Output.error("chaosrig: there is no command \"\(name)\".\(near)\nSee: chaosrig --help")
        return 2
    }

    private static var overview: String {
        let columns = Terminal(descriptor: STDOUT_FILENO).width
        let codes = ProgramText.exitCodes.map { "\($0.code) \($0.meaning)" }.joined(separator: "; ")
        let exitCodes = TerminalText.wrap("Exit codes: \(codes).", width: max(40, min(columns, 110)))
        let width = all.map { $0.name.count }.max() ?? 0
        let rows = all.map { ($0.name, $0.summary) } + [("help", "this list, or the help of a command: help run")]
        let commands = rows.map { "  \($0.padding(to: width))  \($1)" }.joined(separator: "\n")
        return """
            chaosrig: \(ProgramText.summary)

            Usage: chaosrig COMMAND …

            Commands:
            \(commands)

            Example:
              chaosrig run faults/db-restart.yaml

            \(exitCodes.joined(separator: "\n"))
            Each command has --help.
            """
    }
}

extension String {
    /// The text with spaces behind it, up to a width in characters.
    func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
