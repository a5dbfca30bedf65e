package import RigModel

/// A part of the stage that a fault needs.
package enum StagePart: String, Sendable, CaseIterable {
    case sessions
    case server
    case link
    case file
}

/// The proof that a fault had its effect, or why there is none.
package struct Landing: Sendable, Equatable {
    package var landed: Bool
    package var evidence: JSONValue

    package init(landed: Bool, evidence: JSONValue) {
        self.landed = landed
        self.evidence = evidence
    }
}

/// One kind of fault with its parameters: a value. Building it changes nothing.
package protocol Fault: Sendable {
    /// Name, parameters and whether it lasts; shown by `chaosrig list faults`.
    static var shape: Shape { get }
    init(_ parameters: Parameters)
    var needs: Set<StagePart> { get }
    /// For example `restart immediate, down for 2 s`.
    var detail: String { get }
    /// How long the fault lasts by its own parameters (a restart's downtime), where the schedule has no `for`.
    var ownDuration: Duration? { get }
    /// What it asks of the relay between pool and server; empty where it does without. Looked at before a run starts.
    func disturbances(seed: UInt64) -> [Disturbance]
    /// One injection. A class or actor: it holds what healing needs.
    func makeInjection(seed: UInt64) -> any Injection
}

extension Fault {
    package func disturbances(seed: UInt64) -> [Disturbance] { [] }
}

/// One injection of a fault: inject, then prove, then heal. Called in this order, never concurrently, except that
/// ``heal(on:)`` may come while ``prove(on:)`` waits (which is then cancelled).
package protocol Injection: Sendable {
    /// Returns when the fault has begun. Everything it changes is in the journal first.
    func inject(on stage: FaultStage) async throws
    /// Returns as soon as the effect is proven, or when it is certain that there is none.
    func prove(on stage: FaultStage) async -> Landing
    /// Brings everything back and checks it. Idempotent.
    ///
    /// - Returns: facts for the history (how long the outage really was, how many sessions were ended).
    func heal(on stage: FaultStage) async throws -> JSONValue
}
