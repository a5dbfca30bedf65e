package import RigModel

/// The server ends sessions that stand idle for longer than a limit, as servers, proxies and clouds do behind a pool's back.
/// PostgreSQL 14 and later.
///
/// Landed: the server wrote that it ended a session of the pool for this reason.
package struct IdleSessionTimeout: Fault {
    package static let shape = Shape(
        name: "idle-session-timeout", summary: "the server ends sessions that stand idle (idle_session_timeout)",
        parameters: [
            Parameter("after", .duration, isRequired: true, summary: "sessions idle for longer are ended")
        ], isLasting: true)

    private static let kind = ServerTimeout.Kind(
        setting: "idle_session_timeout", message: "terminating connection due to idle-session timeout")

    private let after: Duration

    package init(_ parameters: Parameters) { after = parameters.duration("after") ?? .zero }

    package var needs: Set<StagePart> { [.settings] }
    package var capabilities: [Set<Capability>] { [[.postgres14]] }
    package var claims: Set<Claim> { [.setting(Self.kind.setting)] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "idle for more than \(after.words)" }

    package func makeInjection(seed: UInt64) -> any Injection {
        ServerTimeout(Self.kind, after: after)
    }
}
