import RigModel
import Threading

/// A timeout of the server that is set for a while (ALTER SYSTEM and a reload): sessions that exist heed it from their next
/// statement on, new ones from the beginning.
///
/// Landed: the server wrote that it ended a session of the pool, or its statement, for this very reason.
actor ServerTimeout: Injection {
    /// What the timeout ends, in the server's words.
    struct Kind: Sendable {
        let setting: String
        let message: String
    }

    private let kind: Kind
    private let after: Duration
    /// What makes sessions of the pool wait, where nothing else does.
    private let contention: LockPulse?
    private var position = 0
    private var before: String?
    private var isSet = false

    init(_ kind: Kind, after: Duration, contention: LockPulse? = nil) {
        self.kind = kind
        self.after = after
        self.contention = contention
    }

    func inject(on stage: FaultStage) async throws {
        let settings = try stage.needed(stage.settings, .settings)
        position = await stage.log?.position() ?? 0
        before = try await settings.value(of: kind.setting)
        isSet = true
        try await settings.set([(kind.setting, "\(max(1, Int(after.milliseconds.rounded())))ms")])
        try await contention?.start(on: stage)
    }

    func prove(on stage: FaultStage) async -> Landing {
        while !Task.isCancelled {
            if await !hits(stage).isEmpty { break }
            try? await Task.sleep(for: .milliseconds(20))
        }
        let hits = await hits(stage)
        var evidence: [JSONValue.Member] = [
            .init("setting", .string(kind.setting)), .init("after_ms", .double(after.milliseconds)),
            .init("value_before", JSONValue(before)),
        ]
        guard let first = hits.first else {
            let blocked = await contention?.blocked ?? 0
            var waited = contention == nil ? "" : " (\(blocked) sessions waited for the fault's lock)"
            if let failure = await contention?.failure { waited += "; the lock was lost: \(failure)" }
            evidence.append(
                .init(
                    "reason",
                    .string("the server ended nothing of the pool for this reason (\"\(kind.message)\")\(waited)")))
            return Landing(landed: false, evidence: .object(evidence))
        }
        evidence += [
            .init("says_the_server", .string("\(first.severity): \(first.text)")), .init("pid", JSONValue(first.pid)),
        ]
        return Landing(landed: true, evidence: .object(evidence))
    }

    private func hits(_ stage: FaultStage) async -> [ServerLogMessage] {
        await stage.log?.messages(since: position).filter { $0.text == kind.message } ?? []
    }

    func heal(on stage: FaultStage) async throws -> JSONValue {
        try await contention?.stop(on: stage)
        let hits = await hits(stage).count
        guard isSet else { return ["hits": JSONValue(hits)] }
        let settings = try stage.needed(stage.settings, .settings)
        try await settings.set([(kind.setting, nil)])
        let now = try await settings.value(of: kind.setting)
        guard now == before else {
            throw InjectionError("\(kind.setting) is \(now) after the fault, and was \(before ?? "unknown") before it")
        }
        isSet = false
        return ["hits": JSONValue(hits), "value_now": .string(now)]
    }
}
