import DatabaseServers
import FaultInjection
import HostSystem
import RigModel
import Threading

/// On a private stage: the network that the server lives in, and the pair of devices between it and the rig's.
///
/// It has no name that others could see or that could stay: it ends with the server and the rig.
struct PrivateLink: Sendable {
    static let clientDevice = "c0"
    static let serverDevice = "s0"
    static let clientAddress = "10.77.0.1"
    /// The second one is for a server that moves. The rig's network has nothing else, so no other can be meant.
    static let serverAddresses = ["10.77.0.2", "10.77.0.3"]
    private static let network = "10.77.0.0/29"

    let namespace: NetworkNamespace

    /// - Parameter folder: of the run, as it is in the command lines of all processes that will live there.
    /// - Throws: why there can be none; nothing of it is left then.
    static func make(programs: any ProgramRunner, journal: any UndoJournal, folder: String) async throws -> PrivateLink
    {
        // One start in about a hundred failed on a machine that was short of everything; why is not known.
        var attempt = 1
        while true {
            do { return try await makeOnce(programs, journal, folder) } catch {
                guard attempt < 5 else { throw error }
                attempt += 1
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    private static func makeOnce(
        _ programs: any ProgramRunner, _ journal: any UndoJournal, _ folder: String
    ) async throws -> PrivateLink {
        let namespace = try await NetworkNamespace.make()
        if let name = namespace.kernelName {
            // Stays open until the run's end: it is done when no process is left there.
            _ = try journal.willChange(.endPrivateNetwork(network: name, folder: folder))
        }
        let link = PrivateLink(namespace: namespace)
        await link.remove(programs: programs)  // of the scenario before, which the kernel may not have cleared away yet
        try await run(
            programs, nil,
            "ip link add dev \(clientDevice) type veth peer name \(serverDevice) netns \(namespace.path)")
        try await run(programs, nil, "ip address add \(clientAddress)/29 dev \(clientDevice)")
        try await run(programs, nil, "ip link set dev \(clientDevice) up")
        for address in serverAddresses {
            try await run(programs, namespace, "ip address add \(address)/29 dev \(serverDevice)")
        }
        try await run(programs, namespace, "ip link set dev \(serverDevice) up")
        return link
    }

    var serverNetwork: ServerNetwork {
        ServerNetwork(namespace: namespace, addresses: Self.serverAddresses, clients: Self.network)
    }

    /// Takes the devices away. Without effect where there are none.
    func remove(programs: any ProgramRunner) async {
        _ = try? await programs.run(["ip", "link", "delete", "dev", Self.clientDevice], within: .seconds(10))
    }

    private static func run(_ programs: any ProgramRunner, _ network: NetworkNamespace?, _ text: String) async throws {
        let words = text.split(separator: " ").map(String.init)
        let result = try await programs.run(words, in: network, within: .seconds(10))
        guard result.exitCode == 0 else {
            let words = result.output.split(separator: "\n").joined(separator: "; ")
            throw RunError.missing("\(text) failed: \(words)")
        }
    }
}
