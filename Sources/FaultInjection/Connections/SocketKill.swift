/// `ss -K` on the server's ends of some connections: the words, and what the answer means. Pure.
struct SocketKill: Sendable {
    struct Client: Sendable, Equatable {
        var address: String
        var port: Int
    }

    let serverPort: Int
    let clients: [Client]

    /// The other end of a session's socket; `nil` for a Unix socket.
    static func client(_ session: ServerSession) -> Client? {
        guard let address = session.clientAddress, let port = session.clientPort else { return nil }
        return Client(address: address, port: port)
    }

    /// Both ports and the address name each socket: nobody else's is ever closed.
    var arguments: [String] {
        let peers = clients.map { client in
            client.address.contains(":")
                ? "dst [\(client.address)]:\(client.port)" : "dst \(client.address):\(client.port)"
        }
        return ["ss", "-K", "-H", "-t", "-n", "sport = :\(serverPort) and ( \(peers.joined(separator: " or ")) )"]
    }

    /// It prints what it closed, and its exit status says nothing.
    func closedClientPorts(_ output: String) -> Set<Int> {
        var ports: Set<Int> = []
        for line in output.split(separator: "\n") {
            // State, Recv-Q, Send-Q, local, peer.
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count >= 5, port(fields[3]) == serverPort, let peer = port(fields[4]) else { continue }
            if clients.contains(where: { $0.port == peer }) { ports.insert(peer) }
        }
        return ports
    }

    private func port(_ address: Substring) -> Int? { address.split(separator: ":").last.flatMap { Int($0) } }
}
