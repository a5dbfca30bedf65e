package import RigModel
import Threading

/// The server stops and comes back: the maintenance window, the crash, the failover without a standby.
///
/// Landed: the old postmaster is gone, and a new connection is refused.
package struct Restart: Fault {
    package static let shape = Shape(
        name: "restart", summary: "the server stops, stays down for a set time, and starts again",
        parameters: [
            Parameter(
                "mode", .choice(ShutdownMode.allCases.map(\.rawValue)), default: .choice("fast"),
                summary: "smart waits for clients, fast disconnects them, immediate aborts, crash is SIGKILL"),
            Parameter(
                "down-for", .duration, default: .duration(.seconds(1)), summary: "how long the server stays down"),
            Parameter(
                "smart-limit", .duration, default: .duration(.seconds(3)),
                summary: "a smart shutdown that still waits for clients after this becomes a fast one"),
            Parameter(
                "escalate", .flag, default: .flag(true),
                summary: "false: a smart shutdown that still waits for clients then has failed"),
        ])

    private let mode: ShutdownMode
    private let downFor: Duration
    private let smartLimit: Duration
    private let escalates: Bool

    package init(_ parameters: Parameters) {
        mode = parameters.choice("mode").flatMap(ShutdownMode.init) ?? .fast
        downFor = parameters.duration("down-for") ?? .seconds(1)
        smartLimit = parameters.duration("smart-limit") ?? .seconds(3)
        escalates = parameters.flag("escalate") ?? true
    }

    package var needs: Set<StagePart> { [.server] }
    package var claims: Set<Claim> { [.serverLife] }
    package var ownDuration: Duration? { downFor }
    package var detail: String { "\(mode.rawValue), down for \(downFor.words)" }
    package func makeInjection(seed: UInt64) -> any Injection {
        Outage(mode: mode, smartLimit: smartLimit, escalates: escalates)
    }

    private actor Outage: Injection {
        private static let stopLimit = Duration.seconds(20)
        private static let startLimit = Duration.seconds(30)

        private let mode: ShutdownMode
        private let smartLimit: Duration
        private let escalates: Bool
        private var oldPID: Int32?
        private var stopTook = Duration.zero
        private var wasEscalated = false
        private var isStopped = false
        private var isHealed = false
        private var downSince = MonotonicInstant.now

        init(mode: ShutdownMode, smartLimit: Duration, escalates: Bool) {
            self.mode = mode
            self.smartLimit = smartLimit
            self.escalates = escalates
        }

        func inject(on stage: FaultStage) async throws {
            let server = try stage.needed(stage.server, .server)
            oldPID = await server.postmasterPID()
            guard oldPID != nil else { throw InjectionError("the server does not run: there is nothing to stop") }
            let startedAt = MonotonicInstant.now
            if mode == .smart {
                try await server.beginShutdown(.smart)
                isStopped = await server.waitUntilStopped(within: smartLimit)
                guard isStopped || escalates else { return }
                wasEscalated = !isStopped
            }
            if !isStopped { try await server.stop(mode == .smart ? .fast : mode, within: Self.stopLimit) }
            isStopped = true
            downSince = .now
            stopTook = startedAt.duration(to: downSince)
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let server = stage.server, isStopped else {
                return Landing(
                    landed: false,
                    evidence: [
                        "reason": .string("the server still waited for its clients after \(smartLimit.words)")
                    ])
            }
            let pid = await server.postmasterPID()
            let answer = await server.tryConnect(within: .seconds(2))
            var evidence: [JSONValue.Member] = [
                .init("old_postmaster", JSONValue(oldPID.map { Int($0) })),
                .init("stop_took_s", .double(stopTook.seconds)), .init("escalated_to_fast", .bool(wasEscalated)),
            ]
            switch answer {
            case .accepted:
                evidence.append(.init("reason", "a new connection was accepted while the server should be down"))
                return Landing(landed: false, evidence: .object(evidence))
            case .noAnswer:
                evidence.append(.init("reason", "a new connection was neither accepted nor refused"))
                return Landing(landed: false, evidence: .object(evidence))
            case .refused(let state, let message):
                evidence.append(.init("connect_sqlstate", JSONValue(state)))
                evidence.append(.init("connect_refused", .string(message)))
                return Landing(landed: pid == nil || pid != oldPID, evidence: .object(evidence))
            }
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            let server = try stage.needed(stage.server, .server)
            guard !isHealed else { return ["healed_before": true] }
            // One that still waits for its clients lets nobody in: it is stopped for good, and started again.
            if !isStopped { try await server.stopForGood(patience: Self.stopLimit) }
            isStopped = true
            try await server.start(within: Self.startLimit)
            let newPID = await server.postmasterPID()
            guard let newPID, newPID != oldPID else {
                throw InjectionError("the server was started, but no new postmaster runs")
            }
            isHealed = true
            return [
                "new_postmaster": JSONValue(newPID), "down_s": .double(downSince.duration(to: .now).seconds),
            ]
        }
    }
}
