package import RigModel
import Threading

/// The server ends sessions of the pool (`pg_terminate_backend`): what an operator, a failover or a proxy does.
///
/// Landed: the sessions, each named by pid and start, are gone from `pg_stat_activity`.
package struct KillConnections: Fault {
    package static let shape = Shape(
        name: "kill-connections", summary: "the server ends sessions of the pool (pg_terminate_backend)",
        parameters: [
            Parameter(
                "select", .choice(Selection.allCases.map(\.rawValue)), default: .choice("all"),
                summary: "which sessions qualify: all, idle, in-transaction (active or idle), idle-in-transaction"),
            Parameter(
                "count", .choice(["all"]), .count, .share, default: .choice("all"),
                summary: "how many of them: all, a number, or a share like 50%"),
        ])

    enum Selection: String, CaseIterable {
        case all
        case idle
        case inTransaction = "in-transaction"
        case idleInTransaction = "idle-in-transaction"

        func matches(_ session: ServerSession) -> Bool {
            switch self {
            case .all: true
            case .idle: session.state == "idle"
            case .inTransaction: session.state.hasPrefix("idle in transaction") || session.state == "active"
            case .idleInTransaction: session.state.hasPrefix("idle in transaction")
            }
        }
    }

    private let selection: Selection
    private let amount: ParameterValue

    package init(_ parameters: Parameters) {
        selection = parameters.choice("select").flatMap(Selection.init) ?? .all
        amount = parameters["count"] ?? .choice("all")
    }

    package var needs: Set<StagePart> { [.sessions] }
    package var ownDuration: Duration? { nil }

    package var detail: String {
        let which = selection == .all ? "" : " \(selection.rawValue)"
        switch amount {
        case .count(let count): return "\(count)\(which) sessions"
        case .share(let share): return "\(Int(share * 100)) % of the\(which) sessions"
        default: return "all\(which) sessions"
        }
    }

    package func makeInjection(seed: UInt64) -> any Injection {
        Kill(fault: self, generator: SeededGenerator(seed: seed, stream: "kill"))
    }

    /// How many of the matching sessions to end; a share ends at least one.
    func quota(of matching: Int) -> Int {
        switch amount {
        case .count(let count): min(count, matching)
        case .share(let share): share > 0 ? min(max(1, Int((share * Double(matching)).rounded())), matching) : 0
        default: matching
        }
    }

    /// Draws the sessions to end.
    func choose(_ sessions: [ServerSession], _ generator: inout SeededGenerator) -> [ServerSession] {
        let matching = sessions.filter(selection.matches)
        return Array(matching.shuffled(using: &generator).prefix(quota(of: matching.count)))
    }

    private actor Kill: Injection {
        /// A rare selection may match nothing at first: it is looked for again for so long.
        private static let huntLimit = Duration.seconds(2)

        private let fault: KillConnections
        private var generator: SeededGenerator
        private var aimedAt = 0
        private var gone: [ServerSession] = []

        init(fault: KillConnections, generator: SeededGenerator) {
            self.fault = fault
            self.generator = generator
        }

        func inject(on stage: FaultStage) async throws {
            let control = try stage.needed(stage.sessions, .sessions)
            let giveUpAt = MonotonicInstant.now.advanced(by: Self.huntLimit)
            var targets: [ServerSession] = []
            while true {
                targets = fault.choose(try await control.sessions(), &generator)
                if !targets.isEmpty || fault.quota(of: 1_000) == 0 || MonotonicInstant.now >= giveUpAt { break }
                try await Task.sleep(for: .milliseconds(20))
            }
            aimedAt = targets.count
            gone = try await control.terminate(targets)
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard aimedAt > 0 else {
                return Landing(
                    landed: false,
                    evidence: [
                        "reason": .string("no session matched (\(fault.detail)) within \(Self.huntLimit.words)")
                    ])
            }
            return Landing(
                landed: !gone.isEmpty,
                evidence: [
                    "aimed_at": JSONValue(aimedAt), "ended": JSONValue(gone.count),
                    "sessions": .array(
                        gone.prefix(20).map {
                            ["pid": JSONValue($0.pid), "started_at": .string($0.startedAt), "state": .string($0.state)]
                        }),
                ])
        }

        func heal(on stage: FaultStage) async throws -> JSONValue { ["nothing_to_undo": true] }
    }
}
