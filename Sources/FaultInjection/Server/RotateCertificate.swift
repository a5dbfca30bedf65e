package import RigModel
import Threading

/// The server's certificate is renewed, by another authority, and the server reloads. Open sessions live on; new ones see the
/// new certificate, and have to trust it.
///
/// Landed: a new connection is shown the new certificate, and the pool's role gets in with it.
package struct RotateCertificate: Fault {
    package static let shape = Shape(
        name: "rotate-certificate", summary: "the server shows a new certificate by a new authority from now on",
        parameters: [
            Parameter(
                "authority-follows", .duration, default: .duration(.zero),
                summary: "how long after the server's reload the pool's file of authorities has the new one"),
            Parameter(
                "reload", .flag, default: .flag(true),
                summary: "false: the files are replaced and the server is not told, as it is often forgotten"),
        ], isLasting: true)

    private let follows: Duration
    private let reloads: Bool

    package init(_ parameters: Parameters) {
        follows = parameters.duration("authority-follows") ?? .zero
        reloads = parameters.flag("reload") ?? true
    }

    package var needs: Set<StagePart> { [.server, .settings, .certificates, .sessions] }
    package var capabilities: [Set<Capability>] { [[.openssl]] }
    package var claims: Set<Claim> { [.authentication] }
    package var ownDuration: Duration? { nil }
    package var detail: String {
        reloads ? "the pool's authorities follow after \(follows.words)" : "on disk only, without a reload"
    }
    package func makeInjection(seed: UInt64) -> any Injection { Renewal(follows: follows, reloads: reloads) }

    /// The common name in what `openssl s_client` prints: `subject=CN = NAME`, without spaces in newer versions. Pure.
    static func subject(in output: String) -> String? {
        let line = output.split(separator: "\n").first { $0.hasPrefix("subject=") }
        guard let name = line?.split(separator: "=").last else { return nil }
        return String(name.drop { $0 == " " })
    }

    private actor Renewal: Injection {
        private static let limit = Duration.seconds(10)

        private let follows: Duration
        private let reloads: Bool
        private var before: [ServerSession] = []
        private var new: String?
        private var following: Task<Void, any Error>?
        private var isHealed = false

        init(follows: Duration, reloads: Bool) {
            self.follows = follows
            self.reloads = reloads
        }

        func inject(on stage: FaultStage) async throws {
            let certificates = try stage.needed(stage.certificates, .certificates)
            before = try await stage.needed(stage.sessions, .sessions).sessions()
            new = try await certificates.replace()
            // An authority that is known before the server shows its certificate: nobody may notice then.
            if follows == .zero { try await certificates.trust() }
            if reloads { try await stage.needed(stage.settings, .settings).set([]) }
            guard follows > .zero else { return }
            following = Task { [follows] in
                try await Task.sleep(for: follows)
                try await certificates.trust()
            }
        }

        private func shown(_ stage: FaultStage) async -> String? {
            guard let port = stage.certificates?.port else { return nil }
            let result = try? await stage.runBesideServer(
                ["openssl", "s_client", "-starttls", "postgres", "-connect", "127.0.0.1:\(port)"], within: Self.limit)
            return result.flatMap { RotateCertificate.subject(in: $0.output) }
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let server = stage.server else { return Landing(landed: false, evidence: ["reason": "no server"]) }
            let seen = await shown(stage)
            var evidence: [JSONValue.Member] = [.init("shown", JSONValue(seen)), .init("new", JSONValue(new))]
            guard seen != nil, seen == new else {
                evidence.append(.init("reason", "a new connection is still shown the old certificate"))
                return Landing(landed: false, evidence: .object(evidence))
            }
            if follows > .zero {
                let early = await server.tryConnect(within: .seconds(2))
                evidence.append(.init("before_the_authority_followed", .string(early.words)))
                await following?.endWithCaller()
            }
            let answer = await server.tryConnect(within: .seconds(2))
            evidence.append(.init("connect", .string(answer.words)))
            if let now = try? await stage.sessions?.sessions() {
                let alive = Set(now.map { "\($0.pid) \($0.startedAt)" })
                let kept = before.count { alive.contains("\($0.pid) \($0.startedAt)") }
                evidence.append(.init("sessions_before", JSONValue(before.count)))
                evidence.append(.init("of_them_still_open", JSONValue(kept)))
            }
            if answer != .accepted { evidence.append(.init("reason", "the pool's role does not get in with it")) }
            return Landing(landed: answer == .accepted, evidence: .object(evidence))
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            guard new != nil, !isHealed else { return ["nothing_to_undo": true] }
            following?.cancel()
            _ = await following?.result
            // A renewal is not taken back but finished: everybody has the new certificate then, and trusts it.
            try await stage.needed(stage.certificates, .certificates).trust()
            if !reloads { try await stage.needed(stage.settings, .settings).set([]) }
            try await stage.needed(stage.server, .server).waitUntilServing(within: Self.limit)
            let seen = await shown(stage)
            guard seen == new else {
                throw InjectionError("the server shows \(seen ?? "no certificate") and not \(new ?? "")")
            }
            isHealed = true
            return ["shown": JSONValue(seen)]
        }
    }
}
