package import RigModel
import Threading

/// The service's container is stopped as its engine does it, and started again: an update, a move to another host.
package struct ContainerRestart: Fault {
    package static let shape = Shape(
        name: "container-restart", summary: "the compose service is stopped, stays down, and is started again",
        parameters: [
            Parameter(
                "stop-timeout", .duration, default: .duration(.seconds(10)),
                summary: "the engine kills what still runs after this"),
            Parameter(
                "down-for", .duration, default: .duration(.milliseconds(500)), summary: "how long it stays down"),
        ])

    private let stopTimeout: Duration
    private let downFor: Duration

    package init(_ parameters: Parameters) {
        stopTimeout = parameters.duration("stop-timeout") ?? .seconds(10)
        downFor = parameters.duration("down-for") ?? .milliseconds(500)
    }

    package var needs: Set<StagePart> { [.containers] }
    package var capabilities: [Set<Capability>] { [[.containers]] }
    package var claims: Set<Claim> { [.containerLife] }
    package var ownDuration: Duration? { downFor }
    package var detail: String { "down for \(downFor.words)" }
    package func makeInjection(seed: UInt64) -> any Injection {
        // The engine counts whole seconds, and has ended it when it answers.
        let seconds = Int(stopTimeout.seconds.rounded(.up))
        return ContainerOutage(stop: ["stop", "-t", "\(seconds)"], stopLimit: stopTimeout, grace: .seconds(2))
    }
}
