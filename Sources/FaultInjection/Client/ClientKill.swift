import Glibc
import HostSystem
package import RigModel
import Threading

/// The process that holds the pool is killed and started again: a deployment, the memory killer, a crash. Nobody says goodbye
/// to the server, which must find out by itself.
///
/// Landed: the process is gone, and with it every session that it held on the server.
package struct ClientKill: Fault {
    package static let shape = Shape(
        name: "client-kill", summary: "the process that holds the pool is killed, and started again",
        parameters: [
            Parameter(
                "signal", .choice(Signal.allCases.map(\.rawValue)), default: .choice("KILL"),
                summary: "which signal it gets; our own pool's process ignores HUP"),
            Parameter(
                "restart-after", .duration, default: .duration(.seconds(1)),
                summary: "how long it stays away"),
        ])

    enum Signal: String, CaseIterable {
        case kill = "KILL"
        case terminate = "TERM"
        case hangUp = "HUP"

        var number: Int32 {
            switch self {
            case .kill: SIGKILL
            case .terminate: SIGTERM
            case .hangUp: SIGHUP
            }
        }
    }

    private let signal: Signal
    private let restartAfter: Duration

    package init(_ parameters: Parameters) {
        signal = parameters.choice("signal").flatMap(Signal.init) ?? .kill
        restartAfter = parameters.duration("restart-after") ?? .seconds(1)
    }

    package var needs: Set<StagePart> { [.client, .sessions] }
    package var claims: Set<Claim> { [.clientLife, .clientLimits] }
    package var ownDuration: Duration? { restartAfter }
    package var detail: String { "SIG\(signal.rawValue), again after \(restartAfter.words)" }
    package func makeInjection(seed: UInt64) -> any Injection { Kill(signal: signal) }

    private actor Kill: Injection {
        private static let endLimit = Duration.seconds(3)
        private static let graceLimit = Duration.seconds(10)
        /// The server looks for its client only between statements, or every `client_connection_check_interval`.
        private static let sessionLimit = Duration.seconds(10)

        private let signal: Signal
        private var process: ProcessIdentity?
        private var sessions: [ServerSession] = []
        private var hasEnded = false
        private var killedAt = MonotonicInstant.now

        init(signal: Signal) { self.signal = signal }

        func inject(on stage: FaultStage) async throws {
            let client = try stage.needed(stage.client, .client)
            guard let process = client.process else { throw InjectionError("the pool's process does not run") }
            self.process = process
            sessions = try await stage.needed(stage.sessions, .sessions).sessions()
            killedAt = .now
            guard client.signal(signal.number, isEnd: true) else {
                throw InjectionError("the pool's process had ended by itself")
            }
            hasEnded = await client.waitUntilEnded(within: Self.endLimit)
        }

        func prove(on stage: FaultStage) async -> Landing {
            var evidence: [JSONValue.Member] = [
                .init("pid", JSONValue(process.map { Int($0.pid) })), .init("signal", .string(signal.rawValue)),
                .init("sessions_held", JSONValue(sessions.count)),
            ]
            guard hasEnded, process?.isAlive == false else {
                evidence.append(
                    .init("reason", .string("it still runs \(Self.endLimit.words) after SIG\(signal.rawValue)")))
                return Landing(landed: false, evidence: .object(evidence))
            }
            let left = await sessionsLeft(stage)
            evidence.append(.init("sessions_left", JSONValue(left)))
            evidence.append(.init("sessions_gone_after_s", .double(killedAt.duration(to: .now).seconds)))
            if left != 0 {
                evidence.append(
                    .init("reason", .string("the server still held sessions of it after \(Self.sessionLimit.words)")))
            }
            return Landing(landed: left == 0, evidence: .object(evidence))
        }

        /// - Returns: how many of the sessions are still there at the limit; `nil` when the server could not say.
        private func sessionsLeft(_ stage: FaultStage) async -> Int? {
            let known = Set(sessions.map(Held.init))
            let giveUpAt = MonotonicInstant.now.advanced(by: Self.sessionLimit)
            var left: Int?
            while true {
                if let now = try? await stage.sessions?.sessions() { left = now.count { known.contains(Held($0)) } }
                if left == 0 || MonotonicInstant.now >= giveUpAt { return left }
                try? await Task.sleep(for: .milliseconds(20))
            }
        }

        /// A session for good, whatever it does at the moment.
        private struct Held: Hashable {
            let pid: Int32
            let startedAt: String
            init(_ session: ServerSession) {
                pid = session.pid
                startedAt = session.startedAt
            }
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            let client = try stage.needed(stage.client, .client)
            // HUP may be ignored; who got another one is about to end, and nobody would start it again later.
            if signal != .hangUp, let process, client.process == process {
                if await !client.waitUntilEnded(within: Self.graceLimit) {
                    _ = client.signal(SIGKILL, isEnd: true)
                    _ = await client.waitUntilEnded(within: Self.graceLimit)
                }
            }
            guard client.process == nil else {
                client.expectEnd(false)
                return ["nothing_to_undo": true]
            }
            let awayFor = killedAt.duration(to: .now)
            let startedAt = MonotonicInstant.now
            try await client.start()
            return [
                "new_pid": JSONValue(client.process.map { Int($0.pid) }), "away_s": .double(awayFor.seconds),
                "start_took_s": .double(startedAt.duration(to: .now).seconds),
            ]
        }
    }
}
