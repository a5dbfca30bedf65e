package import RigModel
import Threading

/// The server refuses writes while it answers everything else: a demoted primary, a full quota, maintenance.
///
/// Landed: a write of the pool's role gets 25006.
package struct ReadOnly: Fault {
    package static let shape = Shape(
        name: "read-only", summary: "the server refuses writes (default_transaction_read_only, 25006)",
        parameters: [
            Parameter(
                "keep-sessions", .flag, default: .flag(true),
                summary: "false: the pool's sessions are ended, as by a switchover"),
            Parameter(
                "scope", .choice(Scope.allCases.map(\.rawValue)), default: .choice("server"),
                summary: "server (open sessions too), pool-role or rig-role (new sessions of that role only)"),
        ], isLasting: true)

    enum Scope: String, CaseIterable {
        case server
        case poolRole = "pool-role"
        /// To see that it does nothing to the pool.
        case rigRole = "rig-role"
    }

    private let keepsSessions: Bool
    private let scope: Scope

    package init(_ parameters: Parameters) {
        keepsSessions = parameters.flag("keep-sessions") ?? true
        scope = parameters.choice("scope").flatMap(Scope.init) ?? .server
    }

    package var needs: Set<StagePart> { [.statements, .settings, .sessions] }
    package var claims: Set<Claim> { [.setting(Self.setting)] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "\(scope.rawValue), sessions \(keepsSessions ? "kept" : "ended")" }
    package func makeInjection(seed: UInt64) -> any Injection {
        RefusedWrites(keepsSessions: keepsSessions, scope: scope)
    }

    private static let setting = "default_transaction_read_only"

    private actor RefusedWrites: Injection {
        private static let limit = Duration.seconds(5)

        private let keepsSessions: Bool
        private let scope: Scope
        private var isChanged = false
        private var ended = 0

        init(keepsSessions: Bool, scope: Scope) {
            self.keepsSessions = keepsSessions
            self.scope = scope
        }

        func inject(on stage: FaultStage) async throws {
            isChanged = true
            try await set("on", on: stage)
            if !keepsSessions {
                let sessions = try stage.needed(stage.sessions, .sessions)
                ended = try await sessions.terminate(try await sessions.sessions()).count
            }
        }

        /// - Parameter value: `nil` takes the change back.
        private func set(_ value: String?, on stage: FaultStage) async throws {
            let statements = try stage.needed(stage.statements, .statements)
            guard scope != .server else {
                try await stage.needed(stage.settings, .settings).set([(ReadOnly.setting, value)])
                return
            }
            let role = scope == .poolRole ? statements.poolRole : "CURRENT_USER"
            try await statements.run(
                "ALTER ROLE \(role) "
                    + (value.map { "SET \(ReadOnly.setting) = \($0)" } ?? "RESET \(ReadOnly.setting)"),
                within: Self.limit)
        }

        /// A write that would write nothing, in a new session of the pool's role.
        ///
        /// - Returns: `nil` when it was allowed.
        private func tryWrite(_ stage: FaultStage) async -> StatementFailure? {
            guard let statements = stage.statements else {
                return StatementFailure(sqlState: nil, message: "no server")
            }
            return await statements.refusalOfPool(
                "INSERT INTO \(statements.appendsTable) (id) SELECT 0 WHERE false", within: Self.limit)
        }

        func prove(on stage: FaultStage) async -> Landing {
            var refusal = await tryWrite(stage)
            // Another fault may keep new sessions out for a while.
            while let other = refusal, other.sqlState != "25006", !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(100))
                refusal = await tryWrite(stage)
            }
            let hasLanded = refusal?.sqlState == "25006"
            var evidence: [JSONValue.Member] = [
                .init("write", .string(refusal?.description ?? "allowed")), .init("sessions_ended", JSONValue(ended)),
            ]
            if !hasLanded {
                evidence.append(.init("reason", "a write of the pool's role was not refused as read-only"))
            }
            return Landing(landed: hasLanded, evidence: .object(evidence))
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            guard isChanged else { return ["nothing_to_undo": true] }
            try await Retrying.undo { try await set(nil, on: stage) }
            var refusal: StatementFailure?
            let isWritable = await eventually(within: Self.limit) {
                refusal = await tryWrite(stage)
                return refusal == nil
            }
            guard isWritable else {
                throw InjectionError("writes are still refused: \(refusal?.description ?? "")")
            }
            isChanged = false
            return ["writes_allowed": true]
        }
    }
}
