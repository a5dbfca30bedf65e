/// Which packets between pool and server a fault takes, and what becomes of them. A value.
struct PacketRule: Sendable, Equatable {
    enum Direction: String, Sendable, CaseIterable {
        case toServer = "to-server"
        case fromServer = "from-server"
    }

    enum Which: Sendable, Equatable {
        case all
        /// Packets that ask for a connection, or that grant one.
        case opening
        /// Of connections with these ports on the client's side.
        case clientPorts([UInt16])
        /// That are meant for this address of the server, or come from it.
        case serverAddress(String)
    }

    enum Action: Sendable, Equatable {
        case drop
        /// Answered with a RST. Only towards the server: it is the sender who gets it.
        case reset
        /// Handed to a program of the rig, which listens on this queue and gives packets back with this bit in their mark: they
        /// then come to the other rules, and not here again.
        case queue(UInt16, mark: UInt32)
    }

    var direction: Direction
    var which: Which
    var action: Action
    /// What it takes shows that the fault works.
    var isProof = true
}

/// The `iptables` commands of one chain of the run's own. Pure.
///
/// Rules are in a chain that only packets of the pool's port on one device come to: no rule of others is ever changed, and what
/// the chain counted is the fault's.
struct PacketChain: Sendable {
    /// Waits for others who change rules now.
    private static let iptables = ["iptables", "-w", "10"]
    /// More ports do not go into one rule (`multiport`).
    private static let portsPerRule = 15

    let name: String
    let device: String
    let port: UInt16
    let rules: [PacketRule]

    /// In order; packets come to it with the last ones.
    var install: [[String]] {
        let iptables = Self.iptables
        return [iptables + ["-N", name]] + rules.flatMap(words).map { iptables + ["-A", name] + $0 }
            + jumps.map { iptables + ["-I"] + $0 }
    }

    /// In order; only the last one has to succeed for all to be gone.
    var remove: [[String]] {
        let iptables = Self.iptables
        return jumps.map { iptables + ["-D"] + $0 } + [iptables + ["-F", name], iptables + ["-X", name]]
    }

    var list: [String] { Self.iptables + ["-nvxL", name] }
    static let listAll = iptables + ["-S"]

    /// Whether the output of `iptables -S` names this chain.
    static func names(_ chain: String, in output: String) -> Bool {
        output.split(separator: "\n").contains { $0.split(separator: " ").contains { $0 == chain } }
    }

    /// Whether nobody but rigs has rules in the table, by the output of `iptables-save`. One of several rigs at work at the same
    /// time has made it, and the last one takes it away.
    static func isTableOfRigs(_ saved: String) -> Bool {
        let lines = saved.split(separator: "\n")
        guard let start = lines.firstIndex(of: "*filter") else { return true }
        let content = lines[start...].dropFirst().prefix { $0 != "COMMIT" }.filter { !$0.hasPrefix("#") }
        return content.contains { $0.hasPrefix(":chaosrig-") }
            && content.allSatisfy { line in
                let isBase = ["INPUT", "FORWARD", "OUTPUT"].contains { line.hasPrefix(":\($0) ACCEPT ") }
                return isBase || line.contains("chaosrig-")
            }
    }

    private var directions: [PacketRule.Direction] {
        PacketRule.Direction.allCases.filter { direction in rules.contains { $0.direction == direction } }
    }

    /// Without the command's letter.
    private var jumps: [[String]] {
        directions.map { direction in
            let way = direction == .toServer ? ["INPUT", "-i", device] : ["OUTPUT", "-o", device]
            return way + ["-p", "tcp"] + match(direction) + ["-j", name]
        }
    }

    private func match(_ direction: PacketRule.Direction) -> [String] {
        [direction == .toServer ? "--dport" : "--sport", "\(port)"]
    }

    private func words(_ rule: PacketRule) -> [[String]] {
        let isToServer = rule.direction == .toServer
        let begin = ["-p", "tcp"] + match(rule.direction)
        let action: [String] =
            switch rule.action {
            case .drop: ["-j", "DROP"]
            case .reset: ["-j", "REJECT", "--reject-with", "tcp-reset"]
            case .queue(let number, let mark):
                ["-m", "mark", "--mark", "0/\(mark)", "-j", "NFQUEUE", "--queue-num", "\(number)"]
            }
        switch rule.which {
        case .all: return [begin + action]
        case .opening:
            return [begin + (isToServer ? ["--syn"] : ["--tcp-flags", "SYN,ACK", "SYN,ACK"]) + action]
        case .serverAddress(let address): return [begin + [isToServer ? "-d" : "-s", address] + action]
        case .clientPorts(let ports):
            return stride(from: 0, to: ports.count, by: Self.portsPerRule).map { start in
                let some = ports[start..<min(start + Self.portsPerRule, ports.count)].map { "\($0)" }
                let side = isToServer ? "--sports" : "--dports"
                return begin + ["-m", "multiport", side, some.joined(separator: ",")] + action
            }
        }
    }

    /// The sum of the packets that those rules matched which prove it, from `iptables -nvxL CHAIN`.
    func packets(_ output: String) -> Int {
        let proofs = rules.flatMap { rule in words(rule).map { _ in rule.isProof } }
        // A line of its name, a line of headings, then the rules in their order: packets, bytes, target, …
        return zip(proofs, output.split(separator: "\n").dropFirst(2)).reduce(0) { sum, rule in
            sum + (rule.0 ? rule.1.split(separator: " ").first.flatMap { Int($0) } ?? 0 : 0)
        }
    }
}
