/// Rules for logging in that a fault has put in front of the server's own (`pg_hba.conf`): the first that matches counts.
struct AccessRules: Sendable {
    private let before: [UInt8]

    /// Puts a rule in front, and returns when it counts.
    static func prepend(_ rule: String, on stage: FaultStage) async throws -> AccessRules {
        let server = try stage.needed(stage.server, .server)
        let before = try await server.accessRules()
        let rules = AccessRules(before: before)
        do {
            try await server.setAccessRules(Array("\(rule)  # chaosrig\n".utf8) + before)
            try await stage.needed(stage.settings, .settings).set([])
        } catch {
            try? await rules.restore(on: stage)
            throw error
        }
        return rules
    }

    /// Brings the file back, byte for byte, and returns when it counts.
    func restore(on stage: FaultStage) async throws {
        let server = try stage.needed(stage.server, .server)
        try await server.setAccessRules(before)
        try await stage.needed(stage.settings, .settings).set([])
        guard try await server.accessRules() == before else {
            throw InjectionError("the rules for logging in are not as they were")
        }
    }
}
