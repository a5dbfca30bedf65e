import HostSystem
package import RigModel
import Threading

/// The service's container loses its networks, and gets them back under the same names.
///
/// Landed: the engine lists these networks no more for the container.
package struct ContainerDisconnect: Fault {
    package static let shape = Shape(
        name: "container-disconnect", summary: "the compose service is cut off from its networks for a time",
        parameters: [
            Parameter("network", .text, summary: "the engine's name of one; all that it has when left out")
        ], isLasting: true)

    private let network: String?

    package init(_ parameters: Parameters) { network = parameters.text("network") }

    package var needs: Set<StagePart> { [.containers] }
    package var capabilities: [Set<Capability>] { [[.containers]] }
    package var claims: Set<Claim> { [.containerLife] }
    package var ownDuration: Duration? { nil }
    package var detail: String { network ?? "all networks" }
    package func makeInjection(seed: UInt64) -> any Injection { CutOff(network: network) }

    private actor CutOff: Injection {
        private let network: String?
        private var cut: [(network: String, attachment: ContainerState.Attachment, entry: Int)] = []

        init(network: String?) { self.network = network }

        func inject(on stage: FaultStage) async throws {
            let engine = try ContainerEngine(stage)
            let attached = try await engine.state().networks.filter { network == nil || $0.key == network }
            for (name, attachment) in attached.sorted(by: { $0.key < $1.key }) {
                let entry = try engine.journal.willChange(engine.connect(name, attachment))
                cut.append((name, attachment, entry))
                try await engine.run(["network", "disconnect", name, engine.place.id])
            }
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard !cut.isEmpty else {
                return Landing(
                    landed: false,
                    evidence: [
                        "reason": .string(
                            "the container is not in \(network.map { "the network \($0)" } ?? "any network")")
                    ])
            }
            do {
                let left = try await ContainerEngine(stage).state().networks
                let kept = cut.map(\.network).filter { left[$0] != nil }
                var evidence: [JSONValue.Member] = [
                    .init("disconnected", .array(cut.map { .string($0.network) })),
                    .init("networks_left", .array(left.keys.sorted().map { .string($0) })),
                ]
                if !kept.isEmpty {
                    evidence.append(.init("reason", .string("still in \(kept.joined(separator: ", "))")))
                }
                return Landing(landed: kept.isEmpty, evidence: .object(evidence))
            } catch {
                return Landing(landed: false, evidence: ["reason": .string("\(error)")])
            }
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            let engine = try ContainerEngine(stage)
            guard !cut.isEmpty else { return ["nothing_to_undo": true] }
            let now = try await engine.state().networks
            for (network, attachment, _) in cut where now[network] == nil {
                try await engine.run(engine.connectArguments(network, attachment))
            }
            let attached = try await engine.state().networks
            let missing = cut.compactMap { network, attachment, _ in
                engine.missing(attachment, of: attached[network]).map { "\(network): \($0)" }
            }
            guard missing.isEmpty else {
                throw InjectionError(
                    "the container is not as it was in its networks: \(missing.joined(separator: "; "))")
            }
            let answered = try await engine.waitForAnswer()
            for (_, _, entry) in cut.reversed() { try engine.journal.didUndo(entry) }
            let names = cut.map(\.network)
            cut = []
            return ["connected": .array(names.map { .string($0) }), "answered_after_s": .double(answered.seconds)]
        }
    }
}
