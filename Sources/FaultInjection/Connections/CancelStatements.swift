package import RigModel
import Threading

/// Statements of the pool that run are cancelled (`pg_cancel_backend`): an operator's cure for a slow server, or a job that
/// ends what runs too long. The sessions live on.
///
/// Landed: the server wrote that it cancelled; where its log cannot be read, operations of the workload got 57014. That a
/// statement has ended after the signal proves nothing: each does, by itself.
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
        /// The server writes its log behind the session's end of the statement, and an operation may try again before it
        /// tells.
        private static let witnessLimit = Duration.seconds(1)
        private static let message = "canceling statement due to user request"
        private static let sqlState = "57014"

        private let amount: ParameterValue
        private var generator: SeededGenerator
        private var tries = 0
        private var signalled: [ServerSession] = []
        /// The server has written that it cancelled so many of them; without a log, what the workload met.
        private var cancelled = 0
        private var witness = "nothing that could tell"

        init(amount: ParameterValue, generator: SeededGenerator) {
            self.amount = amount
            self.generator = generator
        }

        func inject(on stage: FaultStage) async throws {
            let control = try stage.needed(stage.sessions, .sessions)
            if stage.log != nil {
                witness = "the server's log"
            } else if stage.workload != nil {
                witness = "57014 in the workload"
            }
            let giveUpAt = MonotonicInstant.now.advanced(by: Self.huntLimit)
            while SessionQuota.of(amount, matching: 1_000) > 0 {
                let position = await stage.log?.position()
                let errorsBefore = stage.workload?.errors(Self.sqlState) ?? 0
                // Idle ones are no target: nothing would happen to them.
                signalled = try await control.cancelStatements(
                    atMost: limit, share: amount.shareValue ?? 1, seed: generator.next())
                if !signalled.isEmpty {
                    tries += 1
                    if let log = stage.log, let position {
                        cancelled = await count(signalled, in: log, since: position)
                    } else if let workload = stage.workload {
                        _ = await eventually(within: Self.witnessLimit, every: .milliseconds(10)) {
                            cancelled = workload.errors(Self.sqlState) - errorsBefore
                            return cancelled > 0
                        }
                    }
                    if cancelled > 0 { return }
                }
                guard MonotonicInstant.now < giveUpAt else { return }
                try await Task.sleep(for: .milliseconds(10))
            }
        }

        private var limit: Int { amount.countValue ?? Int(Int32.max) }

        private func count(
            _ sessions: [ServerSession], in log: any ServerLog, since position: LogPosition
        ) async -> Int {
            let pids = Set(sessions.map(\.pid))
            var position = position
            var hits = 0
            _ = await eventually(within: Self.witnessLimit, every: .milliseconds(10)) {
                let (messages, end) = await log.messages(since: position)
                position = end
                hits += messages.count { $0.text == Self.message && pids.contains($0.pid) }
                return hits >= pids.count
            }
            return hits
        }

        func prove(on stage: FaultStage) async -> Landing {
            var evidence: [JSONValue.Member] = [
                .init("tries", JSONValue(tries)), .init("signalled_and_ended", JSONValue(signalled.count)),
                .init("cancelled", JSONValue(cancelled)), .init("witness", .string(witness)),
                .init("pids", .array(signalled.prefix(20).map { JSONValue($0.pid) })),
            ]
            if cancelled == 0 {
                let what =
                    tries == 0 ? "no statement ran" : "no statement was seen to be cancelled (looked at: \(witness))"
                evidence.append(.init("reason", .string("\(what), for \(Self.huntLimit.words)")))
            }
            return Landing(landed: cancelled > 0, evidence: .object(evidence))
        }

        func heal(on stage: FaultStage) async throws -> JSONValue { ["nothing_to_undo": true] }
    }
}
