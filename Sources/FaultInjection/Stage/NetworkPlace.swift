package import HostSystem
import Threading

/// Where faults act on packets between pool and server, and how far these can be told apart. Thread-safe.
///
/// On a private stage that is a pair of network devices of the run's own, between the rig's network and the server's. Elsewhere
/// it is loopback and one port, with rules in chains that bear the run's name.
package final class NetworkPlace: Sendable {
    /// The network that the server is in; `nil` is the rig's own, where nothing but the port tells the pool's packets.
    package let serverNetwork: NetworkNamespace?
    /// The device through which packets reach the server, and the one through which they reach the pool.
    package let serverDevice: String
    package let clientDevice: String
    /// Addresses under which the server listens for the pool; the first is the one in use.
    package let serverAddresses: [String]
    /// The port that the pool connects to: the server's, or the relay's in front of it.
    package let port: UInt16
    /// What works here, tried beforehand.
    package let capabilities: Set<Capability>
    /// The run's temporary folder, for the command lines of its helpers.
    package let folder: String
    private let runID: String
    private let chains = Lock(0)
    private let queues = Lock<UInt16>(0)

    package init(
        serverNetwork: NetworkNamespace?, serverDevice: String, clientDevice: String, serverAddresses: [String],
        port: UInt16, capabilities: Set<Capability>, runID: String, folder: String
    ) {
        self.serverNetwork = serverNetwork
        self.serverDevice = serverDevice
        self.clientDevice = clientDevice
        self.serverAddresses = serverAddresses
        self.port = port
        self.capabilities = capabilities
        self.runID = runID
        self.folder = folder
    }

    /// Nobody else's packets pass here, and nothing of it can outlive the run.
    package var isPrivate: Bool { serverNetwork != nil }

    /// For the evidence.
    package var words: String {
        isPrivate
            ? "network namespaces of the run's own, \(clientDevice) to \(serverDevice), port \(port)"
            : "\(serverDevice) of this machine, port \(port) only, chains \(Self.chainPrefix)\(runID)-…"
    }

    package static let chainPrefix = "chaosrig-"

    /// Numbers of two packet queues that nobody else of this run listens on, and a bit for the mark of their packets.
    func newQueues() -> (numbers: [UInt16], mark: UInt32) {
        let first = queues.withLock { queues in
            queues += 2
            return queues - 2
        }
        // On a machine's own network others may use the low ones.
        let base: UInt16 = isPrivate ? 0 : 40_000
        return ([base + first, base + first + 1], 1 << (UInt32(first) / 2 % 31))
    }

    /// The name of a chain that there is not yet; at most 28 bytes, as `iptables` wants it.
    func newChain() -> String {
        let number = chains.withLock { chains in
            chains += 1
            return chains
        }
        return "\(Self.chainPrefix)\(runID)-\(number)"
    }
}

extension Fault {
    /// What the alternative of ``capabilities`` that is used at this place asks of the stage; `nil` when none is to be had.
    /// Empty: it goes without packets.
    ///
    /// On this machine's own loopback packets are touched only by a fault that knows no other way.
    package func alternative(at place: NetworkPlace?) -> Set<Capability>? {
        let knowsAnother = capabilities.contains { $0.isDisjoint(with: StageProbes.capabilities) }
        let available = place.map { $0.isPrivate || !knowsAnother ? $0.capabilities : [] } ?? []
        // The others have nothing to do with the way between pool and server.
        return capabilities.map { $0.intersection(StageProbes.capabilities) }.first { $0.isSubset(of: available) }
    }
}

extension FaultStage {
    /// Runs a program beside the server: in its network where it has one of its own.
    package func runBesideServer(_ arguments: [String], within limit: Duration) async throws -> (
        exitCode: Int32, output: String
    ) {
        guard let programs else { throw InjectionError("programs cannot be run here") }
        return try await programs.run(arguments, in: network?.serverNetwork, within: limit)
    }

    /// ``runBesideServer(_:within:)`` for a program that must succeed.
    @discardableResult
    func mustRun(_ arguments: [String], in network: NetworkNamespace?) async throws -> String {
        guard let programs else { throw InjectionError("programs cannot be run here") }
        let result = try await programs.run(arguments, in: network, within: .seconds(10))
        guard result.exitCode == 0 else {
            throw InjectionError("\(arguments.joined(separator: " ")): \(result.output.firstLine)")
        }
        return result.output
    }
}
