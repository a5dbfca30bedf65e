import RigModel
import Threading

/// A fault that the rig's file system for SQLite makes in the calls of the pool's connections. It is in this process only:
/// no file is touched, and nothing is left when the process ends.
actor FileCallsInjection: Injection {
    private static let tries = 200

    private let wanted: [FileDisturbance]
    /// In words: `writes that failed`.
    private let proof: String
    private var running: [Int] = []
    private var isHealed = false

    /// - Parameter proof: what the hits are, in words.
    init(_ wanted: [FileDisturbance], provenBy proof: String) {
        self.wanted = wanted
        self.proof = proof
    }

    func inject(on stage: FaultStage) async throws {
        let file = try stage.needed(stage.file, .file)
        running = wanted.map { file.begin($0) }
    }

    func prove(on stage: FaultStage) async -> Landing {
        guard let file = stage.file else { return Landing(landed: false, evidence: ["reason": "no file"]) }
        let startedAt = MonotonicInstant.now
        return await untilProven(isHealed: { isHealed }) {
            if effect(file).hits > 0 { return Landing(landed: true, evidence: .object(facts(file))) }
            let reason = JSONValue.string("no \(proof) within \(startedAt.duration(to: .now).words)")
            return Landing(landed: false, evidence: .object(facts(file) + [.init("reason", reason)]))
        }
    }

    /// Its own disturbances have ended, and nothing of them stands in the way of a write; another fault's still may.

    func heal(on stage: FaultStage) async throws -> JSONValue {
        let file = try stage.needed(stage.file, .file)
        for id in running { file.end(id) }
        isHealed = true
        var code = ""
        for _ in 1...Self.tries {
            code = await file.tryWriteAsPool()
            let explanation = file.explanation(of: code, besides: running)
            if code == "SQLITE_OK" || explanation != nil {
                let why = explanation.map { [JSONValue.Member("because", .string($0))] } ?? []
                return .object(facts(file) + [.init("write_as_pool", .string(code))] + why)
            }
            try? await Task.sleep(for: .milliseconds(10))
        }
        throw InjectionError("calls are not disturbed any more, but a write through the same file system gets \(code)")
    }

    private func effect(_ file: any DatabaseFileControl) -> (matches: Int, hits: Int) {
        running.map { file.effect(of: $0) }.reduce((0, 0)) { ($0.0 + $1.matches, $0.1 + $1.hits) }
    }

    private func facts(_ file: any DatabaseFileControl) -> [JSONValue.Member] {
        let effect = effect(file)
        return [
            .init("proof", .string(proof)), .init("matches", JSONValue(effect.matches)),
            .init("hits", JSONValue(effect.hits)),
        ]
    }
}

/// Which of the calls: parameters that several faults have.
enum CallChoice {
    static let parameters = [
        Parameter("nth", .count, default: .count(1), summary: "the first call that it happens to, from 1"),
        Parameter(
            "share", .share, default: .share(1), summary: "of the calls from there on, drawn from the seed"),
        Parameter("times", .count, summary: "so often at the most; without it no limit"),
    ]

    static func problems(with parameters: Parameters) -> [ParameterProblem] {
        var problems: [ParameterProblem] = []
        if parameters.count("nth") == 0 { problems.append(.init("nth", "calls are counted from 1")) }
        if parameters.share("share") == 0 { problems.append(.init("share", "more than 0% was expected")) }
        if parameters.count("times") == 0 { problems.append(.init("times", "at least 1 was expected")) }
        return problems
    }

    static func apply(_ parameters: Parameters, seed: UInt64, to disturbance: inout FileDisturbance) {
        disturbance.first = max(1, parameters.count("nth") ?? 1)
        disturbance.share = parameters.share("share") ?? 1
        disturbance.times = parameters.count("times")
        disturbance.seed = seed
    }

    static func words(_ parameters: Parameters) -> String {
        var words = ""
        if let first = parameters.count("nth"), first > 1 { words += ", from call \(first)" }
        if let share = parameters.share("share"), share < 1 {
            let tenths = Int((share * 1000).rounded())
            words += ", \(tenths / 10)\(tenths % 10 == 0 ? "" : ".\(tenths % 10)") % of them"
        }
        if let times = parameters.count("times") { words += ", at most \(times)" }
        return words
    }
}
