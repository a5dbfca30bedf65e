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
    private let proof: ServerLogProof
    private let setting: TemporarySetting

    init(_ kind: Kind, after: Duration, contention: LockPulse? = nil) {
        self.kind = kind
        self.after = after
        self.contention = contention
        setting = TemporarySetting(kind.setting)
        proof = ServerLogProof { $0.text == kind.message }
    }

    func inject(on stage: FaultStage) async throws {
        await proof.begin(on: stage)
        try await setting.change(to: "\(max(1, Int(after.milliseconds.rounded())))ms", on: stage)
        try await contention?.start(on: stage)
    }

    func prove(on stage: FaultStage) async -> Landing {
        let hits = await proof.waitForHits(on: stage)
        var evidence: [JSONValue.Member] = [
            .init("setting", .string(kind.setting)), .init("after_ms", .double(after.milliseconds)),
            .init("value_before", JSONValue(await setting.before)),
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
            .init("says_the_server", .string(first.words)), .init("pid", JSONValue(first.pid)),
        ]
        return Landing(landed: true, evidence: .object(evidence))
    }

    func heal(on stage: FaultStage) async throws -> JSONValue {
        try await contention?.stop(on: stage)
        let hits = await proof.hits(on: stage).count
        try await setting.restore(on: stage)
        return ["hits": JSONValue(hits)]
    }
}
