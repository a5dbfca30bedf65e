import Glibc
import HostSystem
import Threading

@testable import FaultInjection

/// A scripted PgBouncer: its console answers from what the test says. Thread-safe.
final class FakePooler: PoolerControl {
    struct State {
        var pid: Int32? = 100
        /// Signals that end it.
        var fatal: Set<Int32> = [SIGTERM, SIGINT, SIGKILL]
        var clients: [(port: String, state: String)] = [("1", "active"), ("2", "active")]
        var backends: [Int32] = [11, 12]
        var paused: Set<String> = []
        /// PAUSE has no answer: clients keep their server connections.
        var pauseHangs = false
        /// RECONNECT replaces nothing.
        var keepsBackends = false
        var settings = ["server_lifetime": "3600", "client_idle_timeout": "0"]
        var log: [String] = []
        var commands: [String] = []
    }

    let state = Lock(State())
    let database = "postgres"

    var stage: FaultStage {
        var stage = FakeStage().stage
        stage.pooler = self
        return stage
    }

    func process() async -> ProcessIdentity? {
        state.withLock { $0.pid.map { ProcessIdentity(pid: $0, startTicks: 1) } }
    }

    func signal(_ number: Int32) async throws {
        state.withLock { state in
            if state.fatal.contains(number) { (state.pid, state.clients) = (nil, []) }
        }
    }

    func waitUntilStopped(within limit: Duration) async -> Bool { state.withLock { $0.pid == nil } }

    func start(within limit: Duration) async throws { state.withLock { $0.pid = $0.pid ?? 200 } }

    func tryQuery(within limit: Duration) async -> ConnectAnswer {
        state.withLock { $0.pid == nil } ? .refused(sqlState: nil, message: "Connection refused") : .accepted
    }

    func logPosition() async -> Int { state.withLock { $0.log.count } }
    func logLines(since position: Int) async -> [String] { state.withLock { Array($0.log.dropFirst(position)) } }

    func console(_ command: String, within limit: Duration) async throws(StatementFailure) -> [[String: String]] {
        try state.withLock { state throws(StatementFailure) in
            guard state.pid != nil else { throw StatementFailure(sqlState: nil, message: "no such socket") }
            state.commands.append(command)
            let words = command.split(separator: " ").map { $0.filter { $0 != "\"" && $0 != "'" } }
            switch words[0] {
            case "SHOW": return try Self.show(words[1], state)
            case "KILL":
                state.paused.insert(words[1])
                if words[1] == database { (state.clients, state.backends) = ([], []) }
            case "PAUSE":
                state.paused.insert(words[1])
                guard !state.pauseHangs else { throw StatementFailure(sqlState: nil, message: "no answer in time") }
                state.backends = []
            case "RESUME": state.paused.remove(words[1])
            case "RECONNECT" where !state.keepsBackends: state.backends = state.backends.map { $0 + 100 }
            case "SET": state.settings[words[1]] = words[3]
            default: break
            }
            return []
        }
    }

    private static func show(_ what: String, _ state: State) throws(StatementFailure) -> [[String: String]] {
        switch what {
        case "CLIENTS":
            state.clients.map {
                ["database": "postgres", "addr": "127.0.0.1", "port": $0.port, "state": $0.state, "connect_time": "t"]
            } + [["database": "pgbouncer", "port": "9", "state": "waiting"]]
        case "SERVERS":
            state.backends.map {
                ["database": "postgres", "remote_pid": "\($0)", "state": "active", "close_needed": "0"]
            }
        case "DATABASES":
            ["postgres", "template1"].map { ["name": $0, "paused": state.paused.contains($0) ? "1" : "0"] }
        case "CONFIG": state.settings.map { ["key": $0.key, "value": $0.value] }
        default: throw StatementFailure(sqlState: "08P01", message: "invalid command")
        }
    }
}
