package import RigModel
import Threading

/// Another process begins to read and never ends. In WAL mode nobody waits for it, but nothing that is written from then on
/// can be moved from the log into the database, and the log grows for as long as it reads.
///
/// Landed: while the log grew, checkpoints did not get further.
package struct CheckpointStarvation: Fault {
    package static let shape = Shape(
        name: "checkpoint-starvation",
        summary: "another process reads and never ends: the log of the SQLite database grows", isLasting: true)

    package init(_ parameters: Parameters) {}

    package var needs: Set<StagePart> { [.file] }
    /// Of two of them none could be proven, nor healed, for the other.
    package var claims: Set<Claim> { [.databaseLog] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "a reader that never ends" }
    package func makeInjection(seed: UInt64) -> any Injection { EndlessReader() }

    private actor EndlessReader: Injection {
        private static let look = Duration.milliseconds(50)
        /// How long others' checkpoints are waited for each time.
        private static let patience = Duration.seconds(2)
        /// Looks without progress in a row: the pool's own reads hold a checkpoint up for a moment only.
        private static let looks = 4
        private static let healLimit = Duration.seconds(10)

        private var process: (any FileProcess)?
        /// `nil` when others made checkpoints all the time.
        private var before: LogState?
        private var largest = 0
        private var isHealed = false

        func inject(on stage: FaultStage) async throws {
            let file = try stage.needed(stage.file, .file)
            before = try? await file.checkpoint(within: Self.patience)
            process = try await file.startProcess(.read)
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let file = stage.file, let process else {
                return Landing(landed: false, evidence: ["reason": "no file"])
            }
            var stuck: [LogState] = []
            var failure: String?
            return await untilProven(every: Self.look, isHealed: { isHealed }) {
                do {
                    let now = try await file.checkpoint(within: Self.patience)
                    if let first = stuck.first, now.checkpointed != first.checkpointed || now.pages < first.pages {
                        stuck = []
                    }
                    stuck.append(now)
                } catch {
                    failure = "\(error)"
                }
                largest = max(largest, file.logBytes())
                if stuck.count > Self.looks, let first = stuck.first, let last = stuck.last, last.pages > first.pages,
                    last.checkpointed < last.pages, process.isRunning
                {
                    return Landing(
                        landed: true,
                        evidence: [
                            "pid": JSONValue(process.pid),
                            "log_pages_before": before.map { JSONValue($0.pages) } ?? .null,
                            "log_pages": JSONValue(last.pages), "checkpointed_pages": JSONValue(last.checkpointed),
                            "log_bytes": JSONValue(file.logBytes()),
                        ])
                }
                let words = failure.map { "; the last checkpoint failed: \($0)" } ?? ""
                return Landing(
                    landed: false,
                    evidence: ["reason": .string("the log did not grow beyond what a checkpoint can do\(words)")])
            }
        }

        /// The reader ends, and a checkpoint reaches the end of the log, unless another fault makes readers or checkpoints of
        /// the pool slow.
        func heal(on stage: FaultStage) async throws -> JSONValue {
            let file = try stage.needed(stage.file, .file)
            isHealed = true
            largest = max(largest, file.logBytes())
            try await process?.end()
            let endedAt = MonotonicInstant.now
            var problem = ""
            while endedAt.duration(to: .now) < Self.healLimit {
                do {
                    let last = try await file.checkpoint(within: Self.patience)
                    if last.checkpointed == last.pages {
                        return [
                            "log_pages": JSONValue(last.pages), "checkpointed_pages": JSONValue(last.checkpointed),
                            "checkpoint_complete_after_s": .double(endedAt.duration(to: .now).seconds),
                            "largest_log_bytes": JSONValue(largest),
                        ]
                    }
                    problem = "a checkpoint still reaches only page \(last.checkpointed) of \(last.pages)"
                } catch {
                    problem = "\(error)"
                }
                if let explanation = file.explanation(of: "SQLITE_BUSY", besides: []) {
                    return [
                        "checkpoint": .string(problem), "because": .string(explanation),
                        "largest_log_bytes": JSONValue(largest),
                    ]
                }
                try? await Task.sleep(for: .milliseconds(20))
            }
            throw InjectionError("the reader is gone, but \(problem)")
        }
    }
}
