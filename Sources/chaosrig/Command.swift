import FaultInjection
import Orchestrator
import RigModel

/// One command of the command line.
protocol Command: Sendable {
    static var name: String { get }
    /// One line for the list of commands.
    static var summary: String { get }
    /// What `--help` prints: usage, options, an example.
    static var help: String { get }
    static var options: [OptionSpec] { get }
    /// - Returns: the exit code of design.md §5.
    /// - Throws: ``UsageError`` for arguments that parse but make no sense.
    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32
}

/// Every command. A new one is one file and one line here.
enum CommandTable {
    static let all: [any Command.Type] = [
        RunCommand.self, ProxyCommand.self, BenchCommand.self, SimulateCommand.self, ValidateCommand.self,
        ListCommand.self, DoctorCommand.self, HealCommand.self, VersionCommand.self,
    ]

    static func run(_ arguments: [String]) async -> Int32 {
        guard let name = arguments.first else {
            Output.error(overview)
            return 2
        }
        let rest = Array(arguments.dropFirst())
        switch name {
        case "--help", "-h", "help":
            guard name == "help", let topic = rest.first else {
                Output.line(overview)
                return 0
            }
            guard let command = all.first(where: { $0.name == topic }) else { return unknown(topic) }
            Output.line(command.help)
            return 0
        case "--version": return await run(["version"])
        case WatchdogCommand.name: return WatchdogCommand.run(rest)
        case StageCommand.name: return StageCommand.run(rest)
        case SocketKillTrial.command: return SocketKillTrial.main()
        case ControlGroupTrial.command: return ControlGroupTrial.main(rest)
        case PacketQueueCommand.name: return PacketQueueCommand.main(rest)
        case SQLiteWorkCommand.name: return SQLiteWorkCommand.run(rest)
        case PoolProcessMain.command: return await PoolProcessMain.run()
        default: break
        }
        guard let command = all.first(where: { $0.name == name }) else { return unknown(name) }
        if rest.contains("--help") || rest.contains("-h") {
            Output.line(command.help)
            return 0
        }
        do throws(UsageError) {
            return try await command.run(try ParsedArguments(rest, command.options))
        } catch {
            Output.error("chaosrig \(name): \(error.message)\nSee: chaosrig \(name) --help")
            return 2
        }
    }

    private static func unknown(_ name: String) -> Int32 {
        let near = NearestName.of(name, in: all.map { $0.name }).map { " Did you mean \"\($0)\"?" } ?? ""
        Output.error("chaosrig: there is no command \"\(name)\".\(near)\nSee: chaosrig --help")
        return 2
    }

    private static var overview: String {
        let width = all.map { $0.name.count }.max() ?? 0
        let commands = all.map { "  \($0.name.padding(to: width))  \($0.summary)" }.joined(separator: "\n")
        return """
            chaosrig: does your connection handling survive production?

            Usage: chaosrig COMMAND …

            Commands:
            \(commands)

            Example:
              chaosrig run faults/db-restart.yaml

            Exit codes: 0 every invariant valid; 1 an invariant is violated; 2 usage or scenario error; 3 this machine lacks
            something; 4 inconclusive; 5 something could not be cleaned up; 70 internal error; 130, 143 interrupted.
            Each command has --help.
            """
    }
}

extension String {
    /// The text with spaces behind it, up to a width in characters.
    func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
