import HostSystem
import RigModel
import Threading

@testable import FaultInjection

/// A scripted stage: sessions, server, link and file that do what the test says. Thread-safe.
final class FakeStage: Sendable {
    struct State {
        var sessions: [ServerSession] = []
        var immortal: Set<Int32> = []
        var postmaster: Int32? = 100
        var stopsBy: Set<ShutdownMode> = Set(ShutdownMode.allCases)
        var shutdowns: [ShutdownMode] = []
        var startFails = false
        var relayDelay: Duration?
        var relayWorks = true
        /// What the relay was told, what of it is on (numbers from 1), and what it did.
        var begun: [Disturbance] = []
        var disturbances: Set<Int> = []
        var effect = DisturbanceEffect()
        var isLocked = false
        var ignoresLock = false
        var undos: [Undo] = []
        var undone = 0
        var programs: [[String]] = []
        var answers: [String: (Int32, String)] = [:]
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
                let gone = sessions.filter { !state.immortal.contains($0.pid) }
                state.sessions.removeAll { gone.contains($0) }
                return gone
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
                state.postmaster = 200
            }
        }
        func tryConnect(within limit: Duration) async -> ConnectAnswer {
            fake.state.withLock { $0.postmaster == nil }
                ? .refused(sqlState: nil, message: "Connection refused") : .accepted
        }
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
        func roundTrip(within limit: Duration) async throws -> Duration {
            fake.state.withLock { .milliseconds(1) + ($0.relayDelay ?? .zero) * 2 }
        }
    }

    private struct File: DatabaseFileControl {
        let fake: FakeStage
        func lock() async throws { fake.state.withLock { $0.isLocked = true } }
        func unlock() async throws { fake.state.withLock { $0.isLocked = false } }
        func tryWrite() async -> String {
            fake.state.withLock { $0.isLocked && !$0.ignoresLock ? "SQLITE_BUSY" : "SQLITE_OK" }
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
