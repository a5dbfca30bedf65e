package import RigModel

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
    /// Why it could never land with these parameters on this target; asked when a scenario is read, after each of them was
    /// found right by the shape.
    static func problems(with parameters: Parameters, on target: TargetTraits) -> [ParameterProblem]
    var needs: Set<StagePart> { get }
    /// What the machine must be able to do, as alternatives, the best first: `[[.netem], [.packetQueue], []]` also works
    /// where neither is. One that needs nothing of the machine has the alternative `[]` only.
    var capabilities: [Set<Capability>] { get }
    /// What no other fault may hold while this one lasts.
    var claims: Set<Claim> { get }
    /// What no other fault may hold meanwhile, but others may use as well.
    var uses: Set<Claim> { get }
    /// Parts that the target must not have, and why.
    var excludes: [StagePart: String] { get }
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
    package static func problems(with parameters: Parameters, on target: TargetTraits) -> [ParameterProblem] { [] }
    package var capabilities: [Set<Capability>] { [[]] }
    package var claims: Set<Claim> { [] }
    /// Statements and settings take sessions of the rig, and each look at a setting takes a new one.
    package var uses: Set<Claim> { needs.isDisjoint(with: [.statements, .settings]) ? [] : [.rigSessions] }
    package var excludes: [StagePart: String] { [:] }
    package func disturbances(seed: UInt64) -> [Disturbance] { [] }
}

/// One injection of a fault: inject, then prove, then heal. Called in this order, never concurrently: a proof that still
/// waits when it is time to heal is cancelled first. A heal that failed is tried again.
package protocol Injection: Sendable {
    /// Returns when the fault has begun. Everything it changes is in the journal first.
    func inject(on stage: FaultStage) async throws
    /// Returns as soon as the effect is proven, or when it is certain that there is none; soon after its task is cancelled,
    /// with what was seen until then.
    func prove(on stage: FaultStage) async -> Landing
    /// Brings everything back and checks it. Idempotent.
    ///
    /// - Returns: facts for the history (how long the outage really was, how many sessions were ended).
    func heal(on stage: FaultStage) async throws -> JSONValue
}
