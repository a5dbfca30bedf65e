package import RigModel
import Threading

/// The name of the server is looked up slowly, not at all, or stands for another address. A real name server of the run's own
/// answers so, to every client on the stage.
///
/// `moved`: the name stands for a second address of the same server from now on; the old one goes on working (alive), or all
/// its packets are swallowed (dead).
///
/// Landed: lookups were answered so; after a move, also: connections to the new address are open.
package struct NameResolution: Fault {
    package static let shape = Shape(
        name: "name-resolution",
        summary: "the server's name is looked up slowly, in vain, or has moved (private stage)",
        parameters: [
            Parameter(
                "mode", .choice(Mode.allCases.map(\.rawValue)), isRequired: true,
                summary: "slow, fails, or moved (to another address of the server)"),
            Parameter(
                "delay", .duration, default: .duration(.seconds(2)), summary: "slow: how long answers are held back"),
            Parameter("share", .share, default: .share(1), summary: "slow, fails: of the lookups, drawn from the seed"),
            Parameter(
                "old", .choice(["alive", "dead"]), default: .choice("alive"),
                summary: "moved: whether the old address still works"),
        ], isLasting: true)

    enum Mode: String, CaseIterable {
        case slow
        case fails
        case moved
    }

    private let mode: Mode
    private let delay: Duration
    private let share: Double
    private let isOldDead: Bool

    package init(_ parameters: Parameters) {
        mode = parameters.choice("mode").flatMap(Mode.init) ?? .fails
        delay = parameters.duration("delay") ?? .seconds(2)
        share = parameters.share("share") ?? 1
        isOldDead = parameters.choice("old") == "dead"
    }

    package var needs: Set<StagePart> { [.names] }
    package var claims: Set<Claim> { [.nameResolution] }
    package var ownDuration: Duration? { nil }

    package var capabilities: [Set<Capability>] {
        mode == .moved ? [[.privateStage, .packetRules]] : [[.privateStage]]
    }

    package var detail: String {
        switch mode {
        case .slow: "slow by \(delay.words), \(Int((share * 100).rounded())) % of the lookups"
        case .fails: "fails, \(Int((share * 100).rounded())) % of the lookups"
        case .moved: "moved, the old address is \(isOldDead ? "dead" : "alive")"
        }
    }

    package func makeInjection(seed: UInt64) -> any Injection { Change(self, seed: seed) }

    private actor Change: Injection {
        private static let proofLimit = Duration.seconds(30)

        private let fault: NameResolution
        private let seed: UInt64
        private var usual: NameBehaviour?
        private var before = NameCounts()
        private var newAddress = ""
        private var oldIsCut: PacketFilter?
        private var isHealed = false

        init(_ fault: NameResolution, seed: UInt64) {
            self.fault = fault
            self.seed = seed
        }

        func inject(on stage: FaultStage) async throws {
            let names = try stage.needed(stage.names, .names)
            var behaviour = names.behaviour
            before = names.counts
            let old = behaviour.address
            switch fault.mode {
            case .slow: (behaviour.delay, behaviour.share) = (fault.delay, fault.share)
            case .fails: (behaviour.fails, behaviour.share) = (true, fault.share)
            case .moved:
                guard let other = stage.network?.serverAddresses.first(where: { $0 != old }) else {
                    throw InjectionError("the server has no second address")
                }
                newAddress = other
                behaviour.address = other
            }
            usual = names.behaviour
            names.behave(behaviour, seed: seed)
            guard fault.mode == .moved, fault.isOldDead else { return }
            oldIsCut = try await PacketFilter.install(
                PacketRule.Direction.allCases.map {
                    PacketRule(direction: $0, which: .serverAddress(old), action: .drop)
                }, on: stage)
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let names = stage.names else { return Landing(landed: false, evidence: ["reason": "no names"]) }
            let startedAt = MonotonicInstant.now
            while true {
                let counts = names.counts
                var evidence: [JSONValue.Member] = [
                    .init("via", "name server"), .init("name", .string(names.name)),
                    .init("lookups", JSONValue(counts.questions - before.questions)),
                ]
                var landed = false
                switch fault.mode {
                case .slow:
                    let slow = counts.delayed - before.delayed
                    evidence.append(.init("slow_answers", JSONValue(slow)))
                    landed = slow > 0 && fault.delay > .zero
                case .fails:
                    let failed = counts.failed - before.failed
                    evidence.append(.init("failed_answers", JSONValue(failed)))
                    landed = failed > 0
                case .moved:
                    let answers = counts.answers[newAddress, default: 0] - before.answers[newAddress, default: 0]
                    let open = isHealed ? 0 : await connections(on: stage)
                    evidence.append(.init("new_address", .string(newAddress)))
                    evidence.append(.init("answers_with_it", JSONValue(answers)))
                    evidence.append(.init("connections_to_it", JSONValue(open)))
                    landed = answers > 0 && open > 0
                }
                if landed { return Landing(landed: true, evidence: .object(evidence)) }
                let waited = startedAt.duration(to: .now)
                if isHealed || Task.isCancelled || waited >= Self.proofLimit {
                    evidence.append(
                        .init("reason", .string("nobody looked the name up to any effect within \(waited.words)")))
                    return Landing(landed: false, evidence: .object(evidence))
                }
                try? await Task.sleep(for: .milliseconds(50))
            }
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            guard let names = stage.names, let usual else { return [:] }
            isHealed = true
            let counts = names.counts
            names.behave(usual, seed: seed)
            try await oldIsCut?.remove(on: stage)
            return ["lookups": JSONValue(counts.questions - before.questions)]
        }

        /// Established ones to the new address.
        private func connections(on stage: FaultStage) async -> Int {
            guard let place = stage.network else { return 0 }
            let words = ["ss", "-HOtn", "state", "established", "src \(newAddress)"]
            let output = try? await stage.mustRun(words, in: place.serverNetwork)
            return output?.split(separator: "\n").count ?? 0
        }
    }
}
