import HostSystem
import Threading

@testable import FaultInjection

/// A container engine that does what its program is told. Thread-safe.
final class FakeEngine: ProgramRunner {
    struct State {
        var status = "running"
        var startedAt = "t1"
        var finishedAt = "t0"
        var project = "proj"
        var networks = ["back": ["031e97ec6dca", "db"]]
        /// Containers are connected without their names.
        var losesNames = false
        /// How long each command was given.
        var limits: [Duration] = []
        /// These commands change nothing.
        var ignored: Set<String> = []
        var commands: [[String]] = []
        var time = 1
        var undos: [Undo] = []
        var undone: [Int] = []
    }

    static let id = "031e97ec6dca4720"
    let state = Lock(State())

    var stage: FaultStage {
        var stage = FaultStage(
            sessions: nil, server: nil, link: nil, file: nil, programs: self, journal: FakeEngineJournal(engine: self))
        stage.container = ContainerPlace(id: Self.id, service: "db", project: "proj", engine: "unix:///e.sock")
        return stage
    }

    func run(_ arguments: [String], in network: NetworkNamespace?, within limit: Duration) async throws -> (
        exitCode: Int32, output: String
    ) {
        state.withLock { state in
            guard arguments.prefix(3) == ["docker", "--host", "unix:///e.sock"] else { return (127, "another engine") }
            let words = Array(arguments.dropFirst(3))
            guard words.last == Self.id else { return (1, "Error: No such container: \(words.last ?? "")") }
            if words[0] == "inspect" { return (0, Self.describe(state)) }
            state.commands.append(words)
            state.limits.append(limit)
            let verb = words[0] == "network" ? words[1] : words[0]
            guard !state.ignored.contains(verb) else { return (0, "") }
            state.time += 1
            switch verb {
            case "stop", "kill": (state.status, state.finishedAt) = ("exited", "t\(state.time)")
            case "start": (state.status, state.startedAt) = ("running", "t\(state.time)")
            case "pause": state.status = "paused"
            case "unpause": state.status = "running"
            case "disconnect": state.networks[words[2]] = nil
            case "connect":
                let aliases = words.indices.filter { words[$0] == "--alias" }.map { words[$0 + 1] }
                state.networks[words[words.count - 2]] = state.losesNames ? [] : aliases
            default: return (125, "unknown command")
            }
            return (0, "")
        }
    }

    private static func describe(_ state: State) -> String {
        let networks = state.networks.map { name, aliases in
            "\"\(name)\":{\"IPAMConfig\":null,\"Aliases\":[\(aliases.map { "\"\($0)\"" }.joined(separator: ","))]}"
        }
        return """
            WARNING: something of the client
            {"state":{"Status":"\(state.status)","Running":\(state.status != "exited"),\
            "Paused":\(state.status == "paused"),"ExitCode":0,"StartedAt":"\(state.startedAt)",\
            "FinishedAt":"\(state.finishedAt)"},"labels":{"com.docker.compose.service":"db",\
            "com.docker.compose.project":"\(state.project)"},"networks":{\(networks.joined(separator: ","))}}
            """
    }
}

private struct FakeEngineJournal: UndoJournal {
    let engine: FakeEngine

    func willChange(_ undo: Undo) throws -> Int {
        engine.state.withLock { state in
            state.undos.append(undo)
            return state.undos.count - 1
        }
    }

    func didUndo(_ entry: Int) throws { engine.state.withLock { $0.undone.append(entry) } }
}
