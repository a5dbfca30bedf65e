import RigModel

@testable import FaultInjection

/// A lasting fault that does what the test says.
struct ScriptedFault: Fault {
    static let shape = Shape(name: "scripted", summary: "what the test says", parameters: [], isLasting: true)

    var inject: @Sendable () async throws -> Void = {}
    var prove: @Sendable () async -> Landing = { Landing(landed: true, evidence: [:]) }
    var heal: @Sendable () async throws -> Void = {}

    init(_ parameters: Parameters = Parameters()) {}

    var needs: Set<StagePart> { [] }
    var ownDuration: Duration? { nil }
    var detail: String { "scripted" }
    func makeInjection(seed: UInt64) -> any Injection { Scripted(fault: self) }

    private struct Scripted: Injection {
        let fault: ScriptedFault
        func inject(on stage: FaultStage) async throws { try await fault.inject() }
        func prove(on stage: FaultStage) async -> Landing { await fault.prove() }
        func heal(on stage: FaultStage) async throws -> JSONValue {
            try await fault.heal()
            return [:]
        }
    }
}
