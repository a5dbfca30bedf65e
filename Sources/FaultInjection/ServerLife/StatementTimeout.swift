package import RigModel

/// The server cancels statements that take longer than a limit. A session's own setting wins over the server's: it reaches a
/// pool that does not set one (`pool: {server-statement-timeout: false}`).
///
/// Landed: the server wrote that it cancelled a statement of the pool for this reason.
package struct StatementTimeout: Fault {
    package static let shape = Shape(
        name: "statement-timeout", summary: "the server cancels statements that take long (statement_timeout)",
        parameters: [
            Parameter("after", .duration, isRequired: true, summary: "statements that take longer are cancelled")
        ], isLasting: true)

    private static let kind = ServerTimeout.Kind(
        setting: "statement_timeout", message: "canceling statement due to statement timeout")

    private let after: Duration

    package init(_ parameters: Parameters) { after = parameters.duration("after") ?? .zero }

    package var needs: Set<StagePart> { [.settings] }
    package var claims: Set<Claim> { [.setting(Self.kind.setting)] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "statements of more than \(after.words)" }

    package func makeInjection(seed: UInt64) -> any Injection {
        ServerTimeout(Self.kind, after: after)
    }
}
