import RigModel

/// A fault that packet rules make where there is a stage for them, and the relay elsewhere.
actor EitherWay: Injection {
    private let fault: any Fault
    private let packets: any Injection
    /// `nil`: the relay cannot make it.
    private let relay: (any Injection)?
    private var chosen: (any Injection)?

    init(_ fault: any Fault, packets: any Injection, relay: (any Injection)?) {
        self.fault = fault
        self.packets = packets
        self.relay = relay
    }

    func inject(on stage: FaultStage) async throws {
        guard let alternative = fault.alternative(at: stage.network) else {
            throw InjectionError("the rig may not touch packets here, and the relay cannot make it")
        }
        let injection = alternative.isEmpty ? relay : packets
        guard let injection else { throw InjectionError("the relay cannot make it") }
        chosen = injection
        try await injection.inject(on: stage)
    }

    func prove(on stage: FaultStage) async -> Landing {
        guard let chosen else { return Landing(landed: false, evidence: ["reason": "it was not injected"]) }
        return await chosen.prove(on: stage)
    }

    func heal(on stage: FaultStage) async throws -> JSONValue {
        guard let chosen else { return [:] }
        return try await chosen.heal(on: stage)
    }
}

/// How a fault of the network is made, as far as a scenario may say so.
enum NetworkMeans: String, Sendable, CaseIterable {
    /// The first of the others that works.
    case auto
    case netem
    case queue
    case packets
    case relay

    static func parameter(_ choices: [NetworkMeans], summary: String) -> Parameter {
        Parameter("via", .choice(choices.map(\.rawValue)), default: .choice(choices[0].rawValue), summary: summary)
    }

    init(_ parameters: Parameters) { self = parameters.choice("via").flatMap(Self.init) ?? .auto }
}
