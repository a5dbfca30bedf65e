import Glibc
import HostSystem
package import RigModel
import Threading

/// The pooler stops and comes back: each rollout of it.
///
/// Landed: its process is gone, and a new connection to its port is refused.
package struct PoolerRestart: Fault {
    package static let shape = Shape(
        name: "pgbouncer-restart", summary: "the PgBouncer in front stops, stays down for a set time, and starts again",
        parameters: [
            Parameter(
                "signal", .choice(Signal.allCases.map(\.rawValue)), default: .choice("TERM"),
                summary: "TERM (1.23 and newer wait for clients, older end at once), INT (waits for transactions, in "
                    + "session pooling for clients), KILL"),
            Parameter(
                "down-for", .duration, default: .duration(.milliseconds(500)), summary: "how long it stays down"),
            Parameter(
                "grace", .duration, default: .duration(.seconds(3)),
                summary: "one that still runs after this is killed, as a service manager would"),
            Parameter("escalate", .flag, default: .flag(true), summary: "false: it is not killed then"),
        ])

    enum Signal: String, CaseIterable {
        case term = "TERM"
        case int = "INT"
        case kill = "KILL"

        var number: Int32 {
            switch self {
            case .term: SIGTERM
            case .int: SIGINT
            case .kill: SIGKILL
            }
        }
    }

    private let signal: Signal
    private let downFor: Duration
    private let grace: Duration
    private let escalates: Bool

    package init(_ parameters: Parameters) {
        signal = parameters.choice("signal").flatMap(Signal.init) ?? .term
        downFor = parameters.duration("down-for") ?? .milliseconds(500)
        grace = parameters.duration("grace") ?? .seconds(3)
        escalates = parameters.flag("escalate") ?? true
    }

    package var needs: Set<StagePart> { [.pooler] }
    package var capabilities: [Set<Capability>] { [[.pgBouncer]] }
    package var claims: Set<Claim> { [.poolerLife] }
    package var ownDuration: Duration? { downFor }
    package var detail: String { "SIG\(signal.rawValue), down for \(downFor.words)" }
    package func makeInjection(seed: UInt64) -> any Injection {
        Outage(signal: signal, grace: grace, escalates: escalates)
    }

    private actor Outage: Injection {
        private static let killLimit = Duration.seconds(10)
        private static let startLimit = Duration.seconds(30)

        private let signal: Signal
        private let grace: Duration
        private let escalates: Bool
        private var oldPID: Int32?
        private var clientsBefore: Int?
        private var stopTook = Duration.zero
        private var wasKilled = false
        private var isStopped = false
        private var isHealed = false
        private var downSince = MonotonicInstant.now

        init(signal: Signal, grace: Duration, escalates: Bool) {
            self.signal = signal
            self.grace = grace
            self.escalates = escalates
        }

        func inject(on stage: FaultStage) async throws {
            let pooler = try stage.needed(stage.pooler, .pooler)
            oldPID = await pooler.process()?.pid
            guard oldPID != nil else { throw InjectionError("PgBouncer does not run: there is nothing to stop") }
            clientsBefore = try? await pooler.clients(of: pooler.database).count
            let startedAt = MonotonicInstant.now
            try await pooler.signal(signal.number)
            isStopped = await pooler.waitUntilStopped(within: signal == .kill ? Self.killLimit : grace)
            if !isStopped, escalates, signal != .kill { try await kill(pooler) }
            downSince = .now
            stopTook = startedAt.duration(to: downSince)
        }

        private func kill(_ pooler: any PoolerControl) async throws {
            wasKilled = true
            // It may end by itself at this moment.
            try? await pooler.signal(SIGKILL)
            isStopped = await pooler.waitUntilStopped(within: Self.killLimit)
            guard isStopped else { throw InjectionError("PgBouncer runs on after SIGKILL") }
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let pooler = stage.pooler, isStopped else {
                return Landing(
                    landed: false,
                    evidence: [
                        "reason": .string("PgBouncer still waited for its clients after \(grace.words)"),
                        "clients": JSONValue(clientsBefore),
                    ])
            }
            let process = await pooler.process()
            let answer = await pooler.tryQuery(within: .seconds(2))
            var evidence: [JSONValue.Member] = [
                .init("old_pid", JSONValue(oldPID.map { Int($0) })), .init("clients_before", JSONValue(clientsBefore)),
                .init("stop_took_s", .double(stopTook.seconds)), .init("killed_after_grace", .bool(wasKilled)),
                .init("new_connection", .string(answer.words)),
            ]
            guard process == nil, case .refused(sqlState: nil, _) = answer else {
                evidence.append(.init("reason", "a new connection was not refused while PgBouncer should be down"))
                return Landing(landed: false, evidence: .object(evidence))
            }
            return Landing(landed: true, evidence: .object(evidence))
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            let pooler = try stage.needed(stage.pooler, .pooler)
            guard !isHealed else { return ["healed_before": true] }
            guard let oldPID else { return ["nothing_to_undo": true] }
            // A shutdown that waits cannot be called off.
            if await pooler.process()?.pid == oldPID { try await kill(pooler) }
            try await pooler.start(within: Self.startLimit)
            guard let newPID = await pooler.process()?.pid, newPID != oldPID else {
                throw InjectionError("PgBouncer was started, but no new process runs")
            }
            isHealed = true
            return ["new_pid": JSONValue(newPID), "down_s": .double(downSince.duration(to: .now).seconds)]
        }
    }
}
