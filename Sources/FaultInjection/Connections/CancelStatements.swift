package import RigModel
import Threading

/// Statements of the pool that run are cancelled (`pg_cancel_backend`): an operator's cure for a slow server, or a job that
/// ends what runs too long. The sessions live on.
///
/// Landed: the server wrote that it cancelled; where its log cannot be read, statements that got the signal have ended.
package struct CancelStatements: Fault {
    package static let shape = Shape(
        name: "cancel-statements", summary: "running statements of the pool are cancelled (pg_cancel_backend)",
        parameters: [
            Parameter(
                "count", .choice(["all"]), .count, .share, default: .choice("all"),
                summary: "how many of those that run: all, a number, or a share like 50%")
        ])

    private let amount: ParameterValue

    package init(_ parameters: Parameters) { amount = parameters["count"] ?? .choice("all") }

    package var needs: Set<StagePart> { [.sessions] }
    package var ownDuration: Duration? { nil }
    package var detail: String { SessionQuota.words(amount, " running statements") }

    package func makeInjection(seed: UInt64) -> any Injection {
        Cancel(amount: amount, generator: SeededGenerator(seed: seed, stream: "cancel"))
    }

    private actor Cancel: Injection {
        /// Statements are short, and may end before the signal arrives: others are looked for.
        private static let huntLimit = Duration.seconds(2)
        /// The server writes its log behind the session's end of the statement.
        private static let logLimit = Duration.seconds(1)
        private static let message = "canceling statement due to user request"

        private let amount: ParameterValue
        private var generator: SeededGenerator
        private var tries = 0
        private var signalled: [ServerSession] = []
        /// Of those the server has written that it cancelled their statement; `nil` without a log.
        private var confirmed: Int?

        init(amount: ParameterValue, generator: SeededGenerator) {
            self.amount = amount
            self.generator = generator
        }

        func inject(on stage: FaultStage) async throws {
            let control = try stage.needed(stage.sessions, .sessions)
            let giveUpAt = MonotonicInstant.now.advanced(by: Self.huntLimit)
            while SessionQuota.of(amount, matching: 1_000) > 0 {
                let position = await stage.log?.position()
                // Idle ones are no target: nothing would happen to them.
                signalled = try await control.cancelStatements(
                    atMost: limit, share: amount.shareValue ?? 1, seed: generator.next())
                if !signalled.isEmpty {
                    tries += 1
                    confirmed = await count(signalled, in: stage.log, since: position)
                    if hasLanded { return }
                }
                guard MonotonicInstant.now < giveUpAt else { return }
                try await Task.sleep(for: .milliseconds(10))
            }
        }

        private var limit: Int { amount.countValue ?? Int(Int32.max) }

        private var hasLanded: Bool { confirmed.map { $0 > 0 } ?? !signalled.isEmpty }

        private func count(_ sessions: [ServerSession], in log: (any ServerLog)?, since position: Int?) async -> Int? {
            guard let log, let position else { return nil }
            let pids = Set(sessions.map(\.pid))
            let giveUpAt = MonotonicInstant.now.advanced(by: Self.logLimit)
            while true {
                let hit = await log.messages(since: position).count {
                    $0.text == Self.message && pids.contains($0.pid)
                }
                if hit == pids.count || MonotonicInstant.now >= giveUpAt { return hit }
                try? await Task.sleep(for: .milliseconds(10))
            }
        }

        func prove(on stage: FaultStage) async -> Landing {
            var evidence: [JSONValue.Member] = [
                .init("tries", JSONValue(tries)), .init("signalled_and_ended", JSONValue(signalled.count)),
                .init("cancelled_says_the_server", JSONValue(confirmed)),
                .init("pids", .array(signalled.prefix(20).map { JSONValue($0.pid) })),
            ]
            if !hasLanded {
                let why = tries == 0 ? "no statement ran" : "every statement had ended before it was cancelled"
                evidence.append(.init("reason", .string("\(why) (\(Self.huntLimit.words) long)")))
            }
            return Landing(landed: hasLanded, evidence: .object(evidence))
        }

        func heal(on stage: FaultStage) async throws -> JSONValue { ["nothing_to_undo": true] }
    }
}
