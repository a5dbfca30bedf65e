package import RigModel
import Threading

/// The server rereads its configuration while it works. It must not disturb anybody.
///
/// Landed: the server has loaded its files anew, and a new session sees the changed setting.
package struct Reload: Fault {
    package static let shape = Shape(
        name: "reload", summary: "the server rereads its configuration with a changed setting",
        parameters: [
            Parameter("setting", .text, default: .text("work_mem"), summary: "what is changed until it is healed"),
            Parameter("value", .text, default: .text("5MB"), summary: "its new value"),
        ], isLasting: true)

    private let setting: String
    private let value: String

    package init(_ parameters: Parameters) {
        setting = parameters.text("setting") ?? "work_mem"
        value = parameters.text("value") ?? "5MB"
    }

    package var needs: Set<StagePart> { [.settings] }
    package var claims: Set<Claim> { [.setting(setting)] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "\(setting) = \(value)" }
    package func makeInjection(seed: UInt64) -> any Injection { ChangedSetting(setting: setting, value: value) }

    private actor ChangedSetting: Injection {
        private let setting: TemporarySetting
        private let value: String

        init(setting: String, value: String) {
            self.setting = TemporarySetting(setting)
            self.value = value
        }

        // Returns when the server's load time has changed.
        func inject(on stage: FaultStage) async throws { try await setting.change(to: value, on: stage) }

        func prove(on stage: FaultStage) async -> Landing {
            let before = await setting.before
            let now = try? await stage.settings?.value(of: setting.name)
            var evidence: [JSONValue.Member] = [
                .init("before", JSONValue(before)), .init("after", JSONValue(now)), .init("reloaded", true),
            ]
            let hasLanded = now != nil && before != nil && now != before
            if !hasLanded {
                evidence.append(.init("reason", .string("a new session does not see another value of \(setting.name)")))
            }
            return Landing(landed: hasLanded, evidence: .object(evidence))
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            guard let before = await setting.before else { return ["nothing_to_undo": true] }
            try await setting.restore(on: stage)
            return ["value": .string(before)]
        }
    }
}
