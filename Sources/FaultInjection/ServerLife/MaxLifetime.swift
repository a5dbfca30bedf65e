package import RigModel
import Threading

/// The server side enforces a maximum lifetime: sessions older than a limit are ended, again and again while the fault
/// lasts. PostgreSQL has no such setting, but proxies, clouds and operators' jobs do it.
///
/// Landed: at least one session that was too old is gone.
package struct MaxLifetime: Fault {
    package static let shape = Shape(
        name: "max-lifetime", summary: "the server side ends sessions that are older than a limit",
        parameters: [
            Parameter("max-age", .duration, isRequired: true, summary: "sessions older than this are ended"),
            Parameter(
                "check-every", .duration, default: .duration(.milliseconds(100)),
                summary: "how often ages are looked at"),
        ], isLasting: true)

    private let maxAge: Duration
    private let checkEvery: Duration

    package init(_ parameters: Parameters) {
        maxAge = parameters.duration("max-age") ?? .zero
        checkEvery = max(parameters.duration("check-every") ?? .milliseconds(100), .milliseconds(10))
    }

    package var needs: Set<StagePart> { [.sessions] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "sessions older than \(maxAge.words)" }
    package func makeInjection(seed: UInt64) -> any Injection { Reaper(maxAge: maxAge, checkEvery: checkEvery) }

    private actor Reaper: Injection {
        private let maxAge: Duration
        private let checkEvery: Duration
        private var task: Task<Void, Never>?
        private var ended: [ServerSession] = []
        private var failures = 0
        private var lastFailure: String?
        private var proofWaiters: [CheckedContinuation<Void, Never>] = []
        private var isOver = false

        init(maxAge: Duration, checkEvery: Duration) {
            self.maxAge = maxAge
            self.checkEvery = checkEvery
        }

        func inject(on stage: FaultStage) async throws {
            let control = try stage.needed(stage.sessions, .sessions)
            task = Task {
                while !Task.isCancelled {
                    await reap(control)
                    try? await Task.sleep(for: checkEvery)
                }
            }
        }

        private func reap(_ control: any SessionControl) async {
            do {
                let old = try await control.sessions().filter { $0.ageSeconds > maxAge.seconds }
                guard !old.isEmpty else { return }
                ended += try await control.terminate(old)
                if !ended.isEmpty { resumeProof() }
            } catch {
                // The server may be away for a moment; another fault may have stopped it.
                failures += 1
                lastFailure = "\(error)"
            }
        }

        func prove(on stage: FaultStage) async -> Landing {
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    if ended.isEmpty, !isOver, !Task.isCancelled {
                        proofWaiters.append(continuation)
                    } else {
                        continuation.resume()
                    }
                }
            } onCancel: {
                Task { await self.resumeProof() }
            }
            if let first = ended.first {
                return Landing(
                    landed: true,
                    evidence: [
                        "pid": JSONValue(first.pid), "started_at": .string(first.startedAt),
                        "age_s": .double(first.ageSeconds), "max_age_s": .double(maxAge.seconds),
                    ])
            }
            return Landing(
                landed: false,
                evidence: [
                    "reason": .string(
                        "no session grew older than \(maxAge.words)"
                            + (lastFailure.map { "; \(failures) looks failed, the last one: \($0)" } ?? ""))
                ])
        }

        private func resumeProof() {
            for waiter in proofWaiters { waiter.resume() }
            proofWaiters = []
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            isOver = true
            task?.cancel()
            await task?.value
            task = nil
            resumeProof()
            return ["ended": JSONValue(ended.count), "looks_failed": JSONValue(failures)]
        }
    }
}
