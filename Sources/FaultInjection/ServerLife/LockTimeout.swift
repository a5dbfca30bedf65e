package import RigModel

/// The server cancels statements that wait for a lock for longer than a limit (55P03). So that there is a lock to wait for, a
/// session of the fault takes the accounts table again and again, each time for somewhat longer than the limit.
///
/// Landed: the server wrote that it cancelled a statement of the pool for this reason.
package struct LockTimeout: Fault {
    package static let shape = Shape(
        name: "lock-timeout", summary: "the server cancels statements that wait long for a lock, and one is held",
        parameters: [
            Parameter(
                "after", .duration, isRequired: true,
                summary: "statements that wait for a lock for longer are cancelled")
        ], isLasting: true)

    private static let kind = ServerTimeout.Kind(
        setting: "lock_timeout", message: "canceling statement due to lock timeout")

    private let after: Duration

    package init(_ parameters: Parameters) { after = parameters.duration("after") ?? .zero }

    package var needs: Set<StagePart> { [.settings, .statements] }
    package var claims: Set<Claim> { [.setting(Self.kind.setting)] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "waiting for a lock for more than \(after.words)" }

    package func makeInjection(seed: UInt64) -> any Injection {
        ServerTimeout(Self.kind, after: after, contention: LockPulse(hold: after * 2 + .milliseconds(100)))
    }
}
