import HostSystem
package import RigModel
import Threading

/// The network device at one end of the way between pool and server is down: a cable that was pulled, a port that was switched
/// off. On a private stage only: there the devices are the run's own.
///
/// Landed: while the kernel shows the device as down, an attempt to connect of the rig's own failed.
package struct LinkDown: Fault {
    package static let shape = Shape(
        name: "link-down", summary: "the network device at one end of the way is down (ip link, private stage)",
        parameters: [
            Parameter(
                "side", .choice(["server", "client"]), default: .choice("server"),
                summary: "server: packets vanish on the way; client: the pool's host has no way at all")
        ], isLasting: true)

    private let isServerSide: Bool

    package init(_ parameters: Parameters) { isServerSide = parameters.choice("side") != "client" }

    package var needs: Set<StagePart> { [.link, .server] }
    package var capabilities: [Set<Capability>] { [[.privateStage]] }
    package var claims: Set<Claim> { [.networkDevice] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "at the \(isServerSide ? "server's" : "client's") end" }

    package func makeInjection(seed: UInt64) -> any Injection { Down(isServerSide: isServerSide) }

    private actor Down: Injection {
        private static let attemptLimit = Duration.seconds(1)

        private let isServerSide: Bool
        private var startedAt: MonotonicInstant?
        private var isHealed = false

        init(isServerSide: Bool) { self.isServerSide = isServerSide }

        func inject(on stage: FaultStage) async throws {
            startedAt = .now
            try await set("down", on: stage)
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let server = stage.server else { return Landing(landed: false, evidence: ["reason": "no server"]) }
            let device = (try? await state(on: stage)) ?? ""
            let askedAt = MonotonicInstant.now
            let answer = await server.tryConnect(within: Self.attemptLimit)
            var evidence: [JSONValue.Member] = [
                .init("via", "packets"), .init("where", .string(stage.network?.words ?? "")),
                .init("device", .string(device.firstLine)),
                .init("attempt_took_ms", .double(askedAt.duration(to: .now).milliseconds)),
            ]
            switch answer {
            case .accepted:
                evidence.append(.init("reason", "an attempt to connect succeeded"))
                return Landing(landed: false, evidence: .object(evidence))
            case .refused(_, let message):
                evidence.append(.init("attempt", .string(message)))
            case .noAnswer: evidence.append(.init("attempt", "no answer"))
            }
            guard !isHealed, !Task.isCancelled, Self.isDown(device) else {
                evidence.append(.init("reason", "the device was up again before the attempt to connect had failed"))
                return Landing(landed: false, evidence: .object(evidence))
            }
            return Landing(landed: true, evidence: .object(evidence))
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            isHealed = true
            guard let startedAt else { return [:] }
            try await set("up", on: stage)
            let device = try await state(on: stage)
            guard !Self.isDown(device) else { throw InjectionError("the device is still down: \(device.firstLine)") }
            return ["down_ms": .double(startedAt.duration(to: .now).milliseconds)]
        }

        private func set(_ state: String, on stage: FaultStage) async throws {
            let (device, network) = try end(stage)
            try await stage.mustRun(["ip", "link", "set", "dev", device, state], in: network)
        }

        private func state(on stage: FaultStage) async throws -> String {
            let (device, network) = try end(stage)
            return try await stage.mustRun(["ip", "-o", "link", "show", "dev", device], in: network)
        }

        private func end(_ stage: FaultStage) throws -> (String, NetworkNamespace?) {
            guard let place = stage.network, place.isPrivate else {
                throw InjectionError("a device is taken down on a private stage only")
            }
            return isServerSide ? (place.serverDevice, place.serverNetwork) : (place.clientDevice, nil)
        }

        /// `2: s0@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu …`: the flags say what was set.
        private static func isDown(_ shown: String) -> Bool {
            guard let open = shown.firstIndex(of: "<"), let close = shown.firstIndex(of: ">") else { return true }
            return !shown[shown.index(after: open)..<close].split(separator: ",").contains("UP")
        }
    }
}
