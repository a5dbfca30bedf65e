package import RigModel

/// The server ends sessions that idle in a transaction for longer than a limit (`idle_in_transaction_session_timeout`). It needs a
/// workload that does: pausing-transfer, or a slow way between pool and server.
///
/// Landed: the server wrote that it ended a session of the pool for this reason.
package struct IdleInTransactionTimeout: Fault {
    package static let shape = Shape(
        name: "idle-in-transaction-timeout", summary: "the server ends sessions that idle in a transaction",
        parameters: [
            Parameter(
                "after", .duration, isRequired: true,
                summary: "sessions that idle in a transaction for longer are ended")
        ], isLasting: true)

    private static let kind = ServerTimeout.Kind(
        setting: "idle_in_transaction_session_timeout",
        message: "terminating connection due to idle-in-transaction timeout")

    private let after: Duration

    package init(_ parameters: Parameters) { after = parameters.duration("after") ?? .zero }

    package var needs: Set<StagePart> { [.settings] }
    package var claims: Set<Claim> { [.setting(Self.kind.setting)] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "idle in a transaction for more than \(after.words)" }

    package func makeInjection(seed: UInt64) -> any Injection {
        ServerTimeout(Self.kind, after: after)
    }
}
