package import RigModel
import Threading

/// The password of the pool's role changes, and the pool learns the new one a while later. Open sessions live on.
///
/// Landed: the old password gets 28P01, and once the pool has learned the new one, that is accepted.
package struct RotatePassword: Fault {
    package static let shape = Shape(
        name: "rotate-password", summary: "the password of the pool's role changes; the pool learns it later (28P01)",
        parameters: [
            Parameter(
                "secret-follows", .duration, default: .duration(.seconds(2)),
                summary: "how long after the change the pool gets the new password"),
            Parameter(
                "require-password", .flag, default: .flag(true),
                summary: "false: the server's own rules stay, and a managed server asks for no password"),
        ], isLasting: true)

    private let follows: Duration
    private let isRequired: Bool

    package init(_ parameters: Parameters) {
        follows = parameters.duration("secret-follows") ?? .seconds(2)
        isRequired = parameters.flag("require-password") ?? true
    }

    package var needs: Set<StagePart> { [.server, .settings, .statements, .secret] }
    package var claims: Set<Claim> { [.authentication] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "the pool learns it after \(follows.words)" }
    package func makeInjection(seed: UInt64) -> any Injection {
        Rotation(follows: follows, isRequired: isRequired, generator: SeededGenerator(seed: seed, stream: "password"))
    }

    private actor Rotation: Injection {
        private static let limit = Duration.seconds(10)

        private let follows: Duration
        private let isRequired: Bool
        private let old: String
        private let new: String
        private var rules: AccessRules?
        private var following: Task<Void, Never>?
        private var isChanged = false
        private var hasFollowed = false

        init(follows: Duration, isRequired: Bool, generator: SeededGenerator) {
            self.follows = follows
            self.isRequired = isRequired
            var generator = generator
            old = "old-\(generator.next())"
            new = "new-\(generator.next())"
        }

        func inject(on stage: FaultStage) async throws {
            let server = try stage.needed(stage.server, .server)
            let role = try stage.needed(stage.statements, .statements).poolRole
            isChanged = true
            // First the state in which a rotation finds a service: everybody has the same password.
            try await setPassword(old, on: stage)
            await server.tellPool(password: old)
            if isRequired {
                let rules = try await AccessRules(of: stage)
                self.rules = rules
                try await rules.prepend("host all \(role) all scram-sha-256", on: stage)
                try await server.waitUntilAccepting(within: Self.limit)
            }
            try await setPassword(new, on: stage)
            following = Task { [follows] in
                guard (try? await Task.sleep(for: follows)) != nil else { return }
                await server.tellPool(password: new)
                hasFollowed = true
            }
        }

        /// - Parameter password: `nil`: none.
        private func setPassword(_ password: String?, on stage: FaultStage) async throws {
            let statements = try stage.needed(stage.statements, .statements)
            let value = password.map { "'\($0)'" } ?? "NULL"
            try await statements.withSession { session throws(StatementFailure) in
                try await session.run("SET password_encryption = 'scram-sha-256'", within: Self.limit)
                try await session.run("ALTER ROLE \(statements.poolRole) PASSWORD \(value)", within: Self.limit)
            }
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let server = stage.server else { return Landing(landed: false, evidence: ["reason": "no server"]) }
            let before = await server.tryConnect(password: old, within: .seconds(2))
            var evidence: [JSONValue.Member] = [.init("old_password", .string(before.words))]
            guard before.sqlState == "28P01" else {
                evidence.append(.init("reason", "the server still lets the old password in"))
                return Landing(landed: false, evidence: .object(evidence))
            }
            await following?.endWithCaller()
            guard hasFollowed else {
                evidence.append(.init("reason", "the fault ended before the pool got the new password"))
                return Landing(landed: false, evidence: .object(evidence))
            }
            let after = await server.tryConnect(within: .seconds(2))
            evidence.append(.init("new_password", .string(after.words)))
            if after != .accepted { evidence.append(.init("reason", "the new password is not accepted")) }
            return Landing(landed: after == .accepted, evidence: .object(evidence))
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            let server = try stage.needed(stage.server, .server)
            following?.cancel()
            await following?.value
            guard isChanged else { return ["nothing_to_undo": true] }
            try await Retrying.undo {
                try await rules?.restore(on: stage)
                rules = nil
                try await setPassword(nil, on: stage)
            }
            await server.tellPool(password: nil)
            try await server.waitUntilServing(without: ["28000", "28P01"], within: Self.limit)
            isChanged = false
            return ["pool_had_learned": .bool(hasFollowed)]
        }
    }
}
