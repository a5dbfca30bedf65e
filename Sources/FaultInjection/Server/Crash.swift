import Glibc
import HostSystem
package import RigModel
import Threading

/// A process of the server is killed: one backend, as by the memory killer, after which the server ends all sessions and
/// recovers by itself; or the postmaster, after which somebody has to start it again.
///
/// Landed: the process is gone, and with it every session that the pool had.
package struct Crash: Fault {
    package static let shape = Shape(
        name: "crash", summary: "one backend, or the postmaster, gets SIGKILL; the server goes through crash recovery",
        parameters: [
            Parameter(
                "what", .choice(Victim.allCases.map(\.rawValue)), default: .choice("backend"),
                summary: "backend (one of the pool's) or postmaster"),
            SessionHunt.parameter,
            Parameter(
                "down-for", .duration, default: .duration(.seconds(1)),
                summary: "how long a killed postmaster stays away"),
        ])

    enum Victim: String, CaseIterable {
        case backend
        case postmaster
    }

    private let what: Victim
    private let hunt: SessionHunt
    private let downFor: Duration

    package init(_ parameters: Parameters) {
        what = parameters.choice("what").flatMap(Victim.init) ?? .backend
        hunt = SessionHunt(parameters)
        downFor = parameters.duration("down-for") ?? .seconds(1)
    }

    package var needs: Set<StagePart> { [.server, .sessions] }
    package var claims: Set<Claim> { [.serverLife] }
    // The rig's own sessions die with the pool's, and it has to come back.
    package var uses: Set<Claim> { [.rigSessions] }
    package var ownDuration: Duration? { what == .postmaster ? downFor : nil }
    package var detail: String {
        what == .postmaster ? "SIGKILL of the postmaster, away for \(downFor.words)" : "SIGKILL of one \(hunt.words)"
    }
    package func makeInjection(seed: UInt64) -> any Injection {
        switch what {
        case .backend: BackendCrash(hunt: hunt, seed: seed)
        case .postmaster: PostmasterCrash()
        }
    }

    /// How long the server may take to be gone, or back.
    private static let limit = Duration.seconds(30)

    private actor BackendCrash: Injection {
        private let hunt: SessionHunt
        private let seed: UInt64
        private var victim: ProcessIdentity?
        private var before: [ServerSession] = []
        private var postmaster: Int32?

        init(hunt: SessionHunt, seed: UInt64) {
            self.hunt = hunt
            self.seed = seed
        }

        func inject(on stage: FaultStage) async throws {
            let server = try stage.needed(stage.server, .server)
            postmaster = await server.postmasterPID()
            guard let found = try await hunt.find(try stage.needed(stage.sessions, .sessions), server, seed: seed)
            else { return }
            before = found.all
            if await server.signal(found.victim, SIGKILL) { victim = found.victim }
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let server = stage.server, let sessions = stage.sessions else { return hunt.nothingFound }
            guard let victim else { return hunt.nothingFound }
            var left = before.count
            // The rig's own session dies with the others, so the first looks may fail.
            let isGone = await eventually(within: Crash.limit) {
                guard await server.state(of: victim) == nil, let now = try? await sessions.sessions() else {
                    return false
                }
                left = Set(before.map(Session.init)).intersection(now.map(Session.init)).count
                return left == 0
            }
            var evidence: [JSONValue.Member] = [
                .init("killed_backend", JSONValue(victim.pid)), .init("sessions_before", JSONValue(before.count)),
                .init("sessions_left", JSONValue(left)),
            ]
            if !isGone { evidence.append(.init("reason", "sessions that were there before are still there")) }
            return Landing(landed: isGone, evidence: .object(evidence))
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            let server = try stage.needed(stage.server, .server)
            if await server.postmasterPID() == nil { try await server.start(within: Crash.limit) }
            try await server.waitUntilServing(within: Crash.limit)
            return ["postmaster_stayed": .bool(await server.postmasterPID() == postmaster)]
        }
    }

    private actor PostmasterCrash: Injection {
        private var before: [ServerSession] = []
        private var oldPID: Int32?
        private var downSince = MonotonicInstant.now

        func inject(on stage: FaultStage) async throws {
            let server = try stage.needed(stage.server, .server)
            before = try await stage.needed(stage.sessions, .sessions).sessions()
            oldPID = await server.postmasterPID()
            guard oldPID != nil else { throw InjectionError("the server does not run: there is nothing to kill") }
            try await server.stop(.crash, within: Crash.limit)
            downSince = .now
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let server = stage.server else { return Landing(landed: false, evidence: ["reason": "no server"]) }
            let left = await server.processes()
            let answer = await server.tryConnect(within: .seconds(2))
            var evidence: [JSONValue.Member] = [
                .init("killed_postmaster", JSONValue(oldPID.map { Int($0) })),
                .init("sessions_before", JSONValue(before.count)), .init("processes_left", JSONValue(left.count)),
                .init("connect", .string(answer.words)),
            ]
            let hasLanded = left.isEmpty && answer != .accepted
            if !hasLanded { evidence.append(.init("reason", "the server is still there")) }
            return Landing(landed: hasLanded, evidence: .object(evidence))
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            let server = try stage.needed(stage.server, .server)
            try await server.start(within: Crash.limit)
            try await server.waitUntilServing(within: Crash.limit)
            return [
                "new_postmaster": JSONValue(await server.postmasterPID().map { Int($0) }),
                "down_s": .double(downSince.duration(to: .now).seconds),
            ]
        }
    }

    /// What names a session for good; its state changes.
    private struct Session: Hashable {
        let pid: Int32
        let startedAt: String

        init(_ session: ServerSession) {
            pid = session.pid
            startedAt = session.startedAt
        }
    }
}
