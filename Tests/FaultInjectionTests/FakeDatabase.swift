import RigModel
import Threading

@testable import FaultInjection

/// What a server knows beside its processes: settings, statements and its log, which do what the test says. Thread-safe.
final class FakeDatabase: Sendable {
    struct State {
        var settings: [String: String] = ["work_mem": "4MB"]
        var changes: [String: String] = [:]
        /// Changes of settings that succeeded, and how many from now on fail.
        var reloads = 0
        var failures = 0
        /// By the beginning of the statement: its answer, or its failure.
        var answers: [String: [[String?]]] = [:]
        var refusals: [String: StatementFailure] = [:]
        var statements: [String] = []
        var openSessions = 0
        var log: [String] = []
        /// From which line the log was read, each time.
        var reads: [Int] = []
        /// The next two who read the log have both read it before either learns what is in it.
        var readersMeet = false
        var firstReader: CheckedContinuation<Void, Never>?
    }
    let state = Lock(State())

    /// The stage of the fake server, with these.
    func stage(_ fake: FakeStage) -> FaultStage {
        var stage = fake.stage
        stage.settings = Settings(database: self)
        stage.statements = Statements(database: self)
        stage.log = Log(database: self)
        return stage
    }

    private func run(_ sql: String) throws(StatementFailure) -> [[String?]] {
        try state.withLock { state throws(StatementFailure) in
            state.statements.append(sql)
            if let refusal = state.refusals.first(where: { sql.hasPrefix($0.key) })?.value { throw refusal }
            return state.answers.first { sql.hasPrefix($0.key) }?.value ?? []
        }
    }

    private struct Settings: SettingsControl {
        let database: FakeDatabase

        func value(of setting: String) async throws -> String {
            try database.state.withLock { state in
                guard let value = state.changes[setting] ?? state.settings[setting] else {
                    throw InjectionError("no setting \(setting)")
                }
                return value
            }
        }

        func set(_ settings: [(name: String, value: String?)]) async throws {
            try database.state.withLock { state in
                if state.failures > 0 {
                    state.failures -= 1
                    throw InjectionError("the server did not reload")
                }
                for (name, value) in settings { state.changes[name] = value }
                state.reloads += 1
            }
        }
    }

    private struct Statements: StatementControl {
        let database: FakeDatabase
        var appendsTable: String { "appends" }
        var accountsTable: String { "accounts" }
        var prefix: String { "chaosrig_test" }
        var poolRole: String { "pool" }

        func run(_ sql: String, within limit: Duration) async throws(StatementFailure) -> [[String?]] {
            try database.run(sql)
        }

        func openSession(as role: String?) async throws(StatementFailure) -> any FaultSession {
            database.state.withLock { $0.openSessions += 1 }
            return Session(database: database)
        }
    }

    private struct Session: FaultSession {
        let database: FakeDatabase
        var pid: Int32 { 1 }
        func run(_ sql: String, within limit: Duration) async throws(StatementFailure) -> [[String?]] {
            try database.run(sql)
        }
        func close() async { database.state.withLock { $0.openSessions -= 1 } }
    }

    private struct Log: ServerLog {
        let database: FakeDatabase
        var application: String { "chaosrig/test" }
        func position() async -> LogPosition { database.state.withLock { LogPosition(bytes: [$0.log.count]) } }
        func lines(since position: LogPosition) async -> (lines: [String], end: LogPosition) {
            let answer = database.state.withLock { state in
                state.reads.append(position.bytes[0])
                return (Array(state.log.dropFirst(position.bytes[0])), LogPosition(bytes: [state.log.count]))
            }
            await meet()
            return answer
        }
        private func meet() async {
            await withCheckedContinuation { continuation in
                let ready = database.state.withLock { state -> [CheckedContinuation<Void, Never>] in
                    guard state.readersMeet else { return [continuation] }
                    guard let first = state.firstReader.take() else {
                        state.firstReader = continuation
                        return []
                    }
                    state.readersMeet = false
                    return [first, continuation]
                }
                for reader in ready { reader.resume() }
            }
        }
    }
}

extension FakeDatabase {
    /// The server writes about a session of the pool.
    func writeLog(_ message: String) {
        state.withLock { $0.log.append("2026-11-21 14:20:03.123 UTC [7] chaosrig/test \(message)") }
    }
}

/// A workload that meets a cancel wherever a statement of the fake ends; or never.
struct FakeWitness: WorkloadErrors {
    let fake: FakeStage
    var sees = true

    func errors(_ sqlState: String) -> Int {
        guard sees, sqlState == "57014" else { return 0 }
        return fake.state.withLock { $0.sessions.count { $0.state == "idle" } }
    }
}
