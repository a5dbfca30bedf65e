import Glibc
import HostSystem
import RigModel
import Threading

@testable import FaultInjection

/// A scripted stage: sessions, server, link and file that do what the test says. Thread-safe.
final class FakeStage: Sendable {
    struct State {
        var sessions: [ServerSession] = []
        var immortal: Set<Int32> = []
        /// So many times those to terminate leave by themselves before they are hit, and others take their place.
        var leaveWhenAimedAt = 0
        var postmaster: Int32? = 100
        var stopsBy: Set<ShutdownMode> = Set(ShutdownMode.allCases)
        var shutdowns: [ShutdownMode] = []
        var startFails = false
        var processes: [ProcessIdentity] = []
        var stopped: Set<ProcessIdentity> = []
        var accessRules: [UInt8] = []
        var relayDelay: Duration?
        var relayWorks = true
        /// What the relay was told, what of it is on (numbers from 1), and what it did.
        var begun: [Disturbance] = []
        var disturbances: Set<Int> = []
        var effect = DisturbanceEffect()
        var isLocked = false
        var ignoresLock = false
        /// Connections of the pool open, read and write all the time.
        var poolWrites = true
        var busyLocks = 0
        var fileWork: FileWork?
        var log = LogState(pages: 0, checkpointed: 0)
        var fileDisturbances: [FileDisturbance] = []
        var fileHits = 0
        var isReplaced = false
        /// What a write through the pool's file system gets.
        var poolWriteCode = "SQLITE_OK"
        /// Codes that another fault explains.
        var explained: Set<String> = []
        var undos: [Undo] = []
        var undone = 0
        var programs: [[String]] = []
        var answers: [String: (Int32, String)] = [:]
        /// What an attempt to connect gets; `nil`: what follows from the rest.
        var answer: ConnectAnswer?
        /// What one with a password of the test's or the fault's gets.
        var oldPassword: ConnectAnswer?
        /// What was run, and how many of the next ones find no server.
        var statements: [String] = []
        var statementsThatFail = 0
        /// Those that differ from their default.
        var settings: [String: String] = [:]
    }
    let state = Lock(State())
    private let network: NetworkPlace?

    /// - Parameter network: where packets may be touched.
    init(network: NetworkPlace? = nil) { self.network = network }

    var stage: FaultStage {
        var stage = FaultStage(
            sessions: Sessions(fake: self), server: Server(fake: self), link: Link(fake: self), file: File(fake: self),
            programs: Programs(fake: self), journal: FakeJournal(fake: self))
        stage.network = network
        return stage
    }

    /// A server of a postmaster and three backends, of which the first two are the pool's.
    static func server(_ states: [String] = ["idle", "active"]) -> FakeStage {
        let fake = FakeStage()
        fake.addSessions(states)
        fake.state.withLock { state in
            state.processes = [100, 1, 2, 3].map { ProcessIdentity(pid: $0, startTicks: UInt64($0) * 10) }
        }
        return fake
    }

    func addSessions(_ states: [String], age: Double = 10) {
        state.withLock { state in
            for (index, name) in states.enumerated() {
                state.sessions.append(
                    ServerSession(pid: Int32(index + 1), startedAt: "t\(index)", state: name, ageSeconds: age))
            }
        }
    }

    private struct Sessions: SessionControl {
        let fake: FakeStage
        func sessions() async throws -> [ServerSession] { fake.state.withLock { $0.sessions } }
        func terminate(_ sessions: [ServerSession]) async throws -> [ServerSession] {
            fake.state.withLock { state in
                if state.leaveWhenAimedAt > 0 {
                    state.leaveWhenAimedAt -= 1
                    return []
                }
                let gone = sessions.filter { !state.immortal.contains($0.pid) }
                state.sessions.removeAll { gone.contains($0) }
                return gone
            }
        }
        func waitUntilGone(_ sessions: [ServerSession]) async throws -> [ServerSession] {
            fake.state.withLock { state in sessions.filter { !state.sessions.contains($0) } }
        }
        func cancelStatements(atMost limit: Int, share: Double, seed: UInt64) async throws -> [ServerSession] {
            fake.state.withLock { state in
                let hit = state.sessions.filter { $0.state == "active" && !state.immortal.contains($0.pid) }
                    .prefix(limit)
                for session in hit {
                    guard let index = state.sessions.firstIndex(of: session) else { continue }
                    state.sessions[index].state = "idle"
                }
                return Array(hit)
            }
        }
    }

    private struct Server: ServerControl {
        let fake: FakeStage
        func postmasterPID() async -> Int32? { fake.state.withLock { $0.postmaster } }
        func beginShutdown(_ mode: ShutdownMode) async throws {
            fake.state.withLock { state in
                state.shutdowns.append(mode)
                if state.stopsBy.contains(mode) { state.postmaster = nil }
            }
        }
        func waitUntilStopped(within limit: Duration) async -> Bool { fake.state.withLock { $0.postmaster == nil } }
        func start(within limit: Duration) async throws {
            try fake.state.withLock { state in
                if state.startFails { throw InjectionError("no room") }
                // Never the same twice.
                state.postmaster = Int32(100 + 100 * state.shutdowns.count)
            }
        }
        func tryConnect(within limit: Duration) async -> ConnectAnswer {
            fake.state.withLock { state in
                if let answer = state.answer { return answer }
                if state.postmaster == nil { return .refused(sqlState: nil, message: "Connection refused") }
                // A server of which nothing but a backend is stopped lets others in.
                return state.stopped.contains { $0.pid == state.postmaster } ? .noAnswer : .accepted
            }
        }
        func tryConnect(password: String, within limit: Duration) async -> ConnectAnswer {
            if let answer = fake.state.withLock({ $0.oldPassword }) { return answer }
            return await tryConnect(within: limit)
        }
        func startHeld() async throws { fake.state.withLock { $0.postmaster = 200 } }
        func endHeldRecovery(within limit: Duration) async throws {}
        var place: ServerPlace {
            get async throws { ServerPlace(folder: "/tmp/chaosrig-fake/pg1", dataDirectory: "/d", user: 1, group: 1) }
        }
        func processes() async -> [ProcessIdentity] { fake.state.withLock { $0.processes } }
        func signal(_ process: ProcessIdentity, _ number: Int32) async -> Bool {
            fake.state.withLock { state in
                guard state.processes.contains(process) else { return false }
                switch number {
                case SIGSTOP: state.stopped.insert(process)
                case SIGCONT: state.stopped.remove(process)
                case SIGKILL:
                    // The server ends all sessions and recovers.
                    state.processes.removeAll { $0.pid != state.postmaster }
                    state.sessions.removeAll { !state.immortal.contains($0.pid) }
                default: break
                }
                return true
            }
        }
        func state(of process: ProcessIdentity) async -> ProcessState? {
            fake.state.withLock { state in
                guard state.processes.contains(process) else { return nil }
                return state.stopped.contains(process) ? .stopped : .running
            }
        }
        func tellPool(password: String?) async {}
        func runInMaintenanceDatabase(_ sql: String, within limit: Duration) async throws(StatementFailure) {
            try fake.takeStatement(sql)
        }
        func accessRules() async throws -> [UInt8] { fake.state.withLock { $0.accessRules } }
        func setAccessRules(_ rules: [UInt8]) async throws { fake.state.withLock { $0.accessRules = rules } }
    }

    private struct Link: LinkControl {
        let fake: FakeStage
        var hasRelay: Bool { true }
        var loopbackServerPort: UInt16? { 5432 }
        func begin(_ disturbance: Disturbance) async throws -> Int {
            fake.state.withLock { state in
                state.begun.append(disturbance)
                state.disturbances.insert(state.begun.count)
                if state.relayWorks, case .toxic(let words) = disturbance, words.hasPrefix("latency@upstream:") {
                    let number = words.split(separator: "=")[1].prefix { $0.isNumber }
                    state.relayDelay = Int(number).map { .milliseconds($0) }
                }
                return state.begun.count
            }
        }
        func end(_ disturbance: Int) async {
            fake.state.withLock { state in
                state.disturbances.remove(disturbance)
                if state.disturbances.isEmpty { state.relayDelay = nil }
            }
        }
        func effect(of disturbance: Int) async -> DisturbanceEffect {
            fake.state.withLock { state in
                var effect = state.effect
                if let delay = state.relayDelay { (effect.heldChunks, effect.medianHold) = (7, delay) }
                return effect
            }
        }
        func endRoundTrips() async {}
        func end(backends: Set<Int32>, _ manner: ConnectionEnd) async -> Set<Int32> {
            fake.state.withLock { state in
                let found = state.sessions.filter { backends.contains($0.pid) && !state.immortal.contains($0.pid) }
                state.sessions.removeAll { found.contains($0) }
                return Set(found.map(\.pid))
            }
        }
        func roundTrip(within limit: Duration) async throws -> Duration {
            fake.state.withLock { .milliseconds(1) + ($0.relayDelay ?? .zero) * 2 }
        }
    }

    private struct File: DatabaseFileControl {
        let fake: FakeStage
        func startProcess(_ work: FileWork) async throws -> any FileProcess {
            fake.state.withLock { state in
                state.fileWork = work
                state.isLocked = work != .read
            }
            return Process(fake: fake)
        }
        func tryWrite() async -> String {
            fake.state.withLock { state in
                state.busyLocks += state.poolWrites ? 1 : 0
                return state.isLocked && !state.ignoresLock ? "SQLITE_BUSY" : "SQLITE_OK"
            }
        }
        func checkpoint(within limit: Duration) async throws -> LogState {
            fake.state.withLock { state in
                state.log.pages += state.poolWrites ? 10 : 0
                if state.fileWork != .read { state.log.checkpointed = state.log.pages }
                return state.log
            }
        }
        func logBytes() -> Int { fake.state.withLock { $0.log.pages * 4096 } }
        func busyLocks() -> Int { fake.state.withLock { $0.busyLocks } }
        func begin(_ disturbance: FileDisturbance) -> Int {
            fake.state.withLock { state in
                state.fileDisturbances.append(disturbance)
                state.fileHits = state.poolWrites ? 1 : 0
                return state.fileDisturbances.count
            }
        }
        func end(_ disturbance: Int) { fake.state.withLock { $0.fileDisturbances = [] } }
        func effect(of disturbance: Int) -> (matches: Int, hits: Int) {
            fake.state.withLock { ($0.fileHits, $0.fileHits) }
        }
        func tryWriteAsPool() async -> String {
            fake.state.withLock { $0.fileDisturbances.isEmpty ? $0.poolWriteCode : "SQLITE_IOERR" }
        }
        func explanation(of code: String, besides own: [Int]) -> String? {
            fake.state.withLock { $0.explained.contains(code) ? "another fault" : nil }
        }
        func replace() async throws -> Replacement {
            fake.state.withLock { state in
                state.isReplaced = true
                return Replacement(originalInode: 1, inode: 2, stale: 3)
            }
        }
        func openOnReplacement() -> Int { fake.state.withLock { $0.isReplaced && $0.poolWrites ? 1 : 0 } }
        func restore() async throws -> Replacement {
            fake.state.withLock { state in
                state.isReplaced = false
                return Replacement(originalInode: 1, inode: 1, stale: 1)
            }
        }

        private struct Process: FileProcess {
            let fake: FakeStage
            var pid: Int32 { 4711 }
            var isRunning: Bool { fake.state.withLock { $0.fileWork != nil } }
            var turns: Int { 1 }
            func end() async throws {
                fake.state.withLock { state in
                    state.fileWork = nil
                    state.isLocked = false
                }
            }
        }
    }

    private struct Programs: ProgramRunner {
        let fake: FakeStage
        func run(_ arguments: [String], in network: NetworkNamespace?, within limit: Duration) async throws -> (
            exitCode: Int32, output: String
        ) {
            fake.state.withLock { state in
                state.programs.append(arguments)
                return state.answers[arguments.joined(separator: " ")] ?? (2, "Error: Specified qdisc kind is unknown.")
            }
        }
    }

    private struct FakeJournal: UndoJournal {
        let fake: FakeStage
        func willChange(_ undo: Undo) throws -> Int {
            fake.state.withLock { state in
                state.undos.append(undo)
                return state.undos.count
            }
        }
        func didUndo(_ entry: Int) throws { fake.state.withLock { $0.undone += 1 } }
    }
}

extension NetworkPlace {
    /// The machine's own loopback, where the rig may do so much.
    static func loopback(_ capabilities: Set<Capability>) -> NetworkPlace {
        NetworkPlace(
            serverNetwork: nil, serverDevice: "lo", clientDevice: "lo", serverAddresses: ["127.0.0.1"], port: 5432,
            capabilities: capabilities, runID: "run1", folder: "/tmp/chaosrig-run1")
    }
}

/// Keeps what the nemesis said, and lets tests wait for it.
final class FactSink: EventSink {
    private struct Waiter {
        let condition: @Sendable ([String]) -> Bool
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var facts: [NemesisFact] = []
        var waiters: [Waiter] = []
    }

    private let state = Lock(State())

    func record(
        _ kind: Event.Kind, _ process: Event.Process, _ function: String, _ value: JSONValue, _ completion: Completion?
    ) -> Int64 {
        let event = Event(
            index: 0, time: 0, kind: kind, process: process, function: function, value: value, completion: completion)
        let ready = state.withLock { state -> [Waiter] in
            if let fact = NemesisFact(event) { state.facts.append(fact) }
            let words = state.facts.map(Self.words)
            let ready = state.waiters.filter { $0.condition(words) }
            state.waiters.removeAll { $0.condition(words) }
            return ready
        }
        for waiter in ready { waiter.continuation.resume() }
        return 0
    }

    /// Returns when what was said fulfils the condition.
    func until(_ condition: @escaping @Sendable ([String]) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if condition(state.facts.map(Self.words)) { return true }
                state.waiters.append(Waiter(condition: condition, continuation: continuation))
                return false
            }
            if isReady { continuation.resume() }
        }
    }

    /// `inject 0`, `landed 0 true`, `heal 0 ok`, in order.
    var words: [String] { state.withLock { $0.facts.map(Self.words) } }

    private static func words(_ fact: NemesisFact) -> String {
        switch fact {
        case .phase(let name): "phase \(name)"
        case .inject(let fault, _, _): "inject \(fault)"
        case .landed(let fault, _, let landed, _): "landed \(fault) \(landed)"
        case .heal(let fault, _, let ok, let forced, _):
            "heal \(fault) \(ok ? "ok" : "failed")\(forced ? " forced" : "")"
        }
    }
}
