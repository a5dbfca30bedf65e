import HostSystem
package import RigModel
import Threading

/// The service's processes are frozen: its kernel still takes packets, nobody reads them.
///
/// Landed: the engine says that the container is paused.
package struct ContainerPause: Fault {
    package static let shape = Shape(
        name: "container-pause", summary: "the compose service is frozen for a time", parameters: [], isLasting: true)

    package init(_ parameters: Parameters) {}

    package var needs: Set<StagePart> { [.containers] }
    package var capabilities: [Set<Capability>] { [[.containers]] }
    package var claims: Set<Claim> { [.containerLife] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "frozen" }
    package func makeInjection(seed: UInt64) -> any Injection { Frozen() }

    private actor Frozen: Injection {
        private var entry: Int?

        func inject(on stage: FaultStage) async throws {
            let engine = try ContainerEngine(stage)
            let state = try await engine.state()
            guard state.isRunning, !state.isPaused else {
                throw InjectionError("the container is \(state.status): there is nothing to pause")
            }
            entry = try engine.journal.willChange(engine.unpause)
            try await engine.run(["pause", engine.place.id])
        }

        func prove(on stage: FaultStage) async -> Landing {
            do {
                let state = try await ContainerEngine(stage).state()
                var evidence: [JSONValue.Member] = [.init("status", .string(state.status))]
                if !state.isPaused { evidence.append(.init("reason", "the engine does not say that it is paused")) }
                return Landing(landed: state.isPaused, evidence: .object(evidence))
            } catch {
                return Landing(landed: false, evidence: ["reason": .string("\(error)")])
            }
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            let engine = try ContainerEngine(stage)
            guard let entry else { return ["nothing_to_undo": true] }
            if try await engine.state().isPaused { try await engine.run(["unpause", engine.place.id]) }
            let state = try await engine.state()
            guard state.isRunning, !state.isPaused else {
                throw InjectionError("the container is \(state.status) after docker unpause")
            }
            let answered = try await engine.waitForAnswer()
            try engine.journal.didUndo(entry)
            self.entry = nil
            return ["status": .string(state.status), "answered_after_s": .double(answered.seconds)]
        }
    }
}
