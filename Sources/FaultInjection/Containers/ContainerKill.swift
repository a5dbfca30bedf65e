package import RigModel

/// The service's container gets a signal, ends, and is started again: out of memory, a node that dies.
package struct ContainerKill: Fault {
    package static let shape = Shape(
        name: "container-kill", summary: "the compose service is killed, stays down, and is started again",
        parameters: [
            Parameter(
                "signal", .choice(["KILL", "QUIT", "INT", "TERM"]), default: .choice("KILL"),
                summary: "to its first process; a PostgreSQL waits for its clients after TERM"),
            Parameter(
                "grace", .duration, default: .duration(.seconds(5)), summary: "how long it may take to end after that"),
            Parameter(
                "down-for", .duration, default: .duration(.milliseconds(500)), summary: "how long it stays down"),
        ])

    private let signal: String
    private let grace: Duration
    private let downFor: Duration

    package init(_ parameters: Parameters) {
        signal = parameters.choice("signal") ?? "KILL"
        grace = parameters.duration("grace") ?? .seconds(5)
        downFor = parameters.duration("down-for") ?? .milliseconds(500)
    }

    package var needs: Set<StagePart> { [.containers] }
    package var capabilities: [Set<Capability>] { [[.containers]] }
    package var claims: Set<Claim> { [.containerLife] }
    package var ownDuration: Duration? { downFor }
    package var detail: String { "SIG\(signal), down for \(downFor.words)" }
    package func makeInjection(seed: UInt64) -> any Injection {
        ContainerOutage(stop: ["kill", "--signal", signal], grace: grace)
    }
}
