import Glibc
import HostSystem
package import RigModel
import Threading

/// The process that holds the pool is stopped (SIGSTOP) and goes on later: a virtual machine that sleeps, a function frozen
/// between calls, a collector of garbage that stops the world.
///
/// Landed: the process is stopped, and a question to it waits without an answer.
package struct ClientPause: Fault {
    package static let shape = Shape(
        name: "client-pause",
        summary: "the process that holds the pool is stopped, and goes on later (SIGSTOP, SIGCONT)",
        isLasting: true)

    package init(_ parameters: Parameters) {}

    package var needs: Set<StagePart> { [.client] }
    package var claims: Set<Claim> { [.clientLife] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "SIGSTOP" }
    package func makeInjection(seed: UInt64) -> any Injection { Pause() }

    private actor Pause: Injection {
        /// A shorter pause nobody would feel.
        private static let leastFelt = Duration.milliseconds(100)

        private static let stopLimit = Duration.seconds(2)

        private var process: ProcessIdentity?
        private var entry: Int?
        private var stoppedAt: MonotonicInstant?
        private var isHealed = false

        func inject(on stage: FaultStage) async throws {
            let client = try stage.needed(stage.client, .client)
            guard let process = client.process else { throw InjectionError("the pool's process does not run") }
            self.process = process
            entry = try stage.journal.willChange(
                .continueProcess(pid: process.pid, startTicks: process.startTicks))
            guard client.signal(SIGSTOP, isEnd: false) else {
                throw InjectionError("the pool's process ended before it could be stopped")
            }
            stoppedAt = .now
            // It is stopped when the last of its threads is.
            let giveUpAt = MonotonicInstant.now.advanced(by: Self.stopLimit)
            while ProcessTable.status(of: process.pid)?.isStopped == false, MonotonicInstant.now < giveUpAt {
                try await Task.sleep(for: .milliseconds(1))
            }
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let client = stage.client, let process else {
                return Landing(landed: false, evidence: ["reason": "there is no process of the pool"])
            }
            let state = ProcessTable.status(of: process.pid).map { String($0.state) } ?? "gone"
            var evidence: [JSONValue.Member] = [
                .init("pid", JSONValue(process.pid)), .init("state", .string(state)),
            ]
            // Longer than the time that the answer might need on a busy machine, and bounded.
            let answer = try? await client.roundTrip(within: Self.leastFelt)
            if let answer { evidence.append(.init("answered_after_ms", .double(answer.took.milliseconds))) }
            let landed = answer == nil && !isHealed && !Task.isCancelled && state == "T"
            evidence.append(
                landed
                    ? .init("no_answer_within_ms", .double(Self.leastFelt.milliseconds))
                    : .init(
                        "reason",
                        .string("it was not stopped for as long as a question waits: \(Self.leastFelt.words)")))
            return Landing(landed: landed, evidence: .object(evidence))
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            guard let process, let entry, !isHealed else { return ["nothing_to_undo": true] }
            isHealed = true
            let undo = Undo.continueProcess(pid: process.pid, startTicks: process.startTicks)
            try await onOwnThread("continue", throwing: { () throws(UndoFailure) in try Undoer().perform(undo) })
            try stage.journal.didUndo(entry)
            let paused = stoppedAt.map { $0.duration(to: .now) } ?? .zero
            guard process.isAlive else { return ["paused_s": .double(paused.seconds), "process": "gone"] }
            let answer = try await stage.needed(stage.client, .client).roundTrip(within: .seconds(10))
            return ["paused_s": .double(paused.seconds), "answered_after_ms": .double(answer.took.milliseconds)]
        }
    }
}
