/// Rules for logging in that a fault puts in front of the server's own (`pg_hba.conf`): the first that matches counts.
struct AccessRules: Sendable {
    private let before: [UInt8]

    /// What the server has now. Nothing is changed yet: whoever keeps this can undo whatever comes of ``prepend(_:on:)``.
    init(of stage: FaultStage) async throws {
        before = try await stage.needed(stage.server, .server).accessRules()
    }

    /// Puts a rule in front, and returns when it counts.
    ///
    /// - Throws: when that is not sure; the rule may count nevertheless.
    func prepend(_ rule: String, on stage: FaultStage) async throws {
        try await set(Array("\(rule)  # chaosrig\n".utf8) + before, on: stage)
    }

    /// Brings the file back, byte for byte, and returns when it counts.
    func restore(on stage: FaultStage) async throws {
        try await set(before, on: stage)
        guard try await stage.needed(stage.server, .server).accessRules() == before else {
            throw InjectionError("the rules for logging in are not as they were")
        }
    }

    private func set(_ rules: [UInt8], on stage: FaultStage) async throws {
        try await stage.needed(stage.server, .server).setAccessRules(rules)
        try await stage.needed(stage.settings, .settings).set([])
    }
}
