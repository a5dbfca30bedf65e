import HostSystem
import Threading

/// Tries what faults of the network do, each in a throw-away network and mount namespace: nothing of this machine is changed.
package enum StageProbes {
    /// What ``probe(_:programs:rig:)`` knows about.
    package static let capabilities: Set<Capability> = [
        .privateStage, .packetRules, .packetQueue, .netem, .rateLimit, .socketKill,
    ]

    private static let limit = Duration.seconds(20)

    /// Tries one capability.
    ///
    /// - Parameters:
    ///   - programs: to run them in the rig's own network.
    ///   - rig: the program that knows ``PrivateStage/command``.
    package static func probe(
        _ capability: Capability, programs: any ProgramRunner, rig: String = RigProgram.path
    ) async -> Availability {
        for trial in trials(capability, rig) {
            let command = [rig, PrivateStage.command] + trial.arguments
            let result: (exitCode: Int32, output: String)
            do { result = try await programs.run(command, within: limit) } catch {
                return .missing(reason: "\(error)", remedy: trial.remedy)
            }
            guard result.exitCode == 0 else {
                let words = trial.arguments.isEmpty ? "" : trial.words + ": "
                let isProgramMissing = result.exitCode == 127
                return .missing(
                    reason: words + result.output.firstLine,
                    remedy: isProgramMissing || trial.remedyWhenRefused == nil
                        ? trial.remedy : trial.remedyWhenRefused ?? "")
            }
        }
        return .available(trials(capability, rig).map(\.words).filter { !$0.isEmpty }.joined(separator: "; "))
    }

    private struct Trial {
        var arguments: [String]
        /// When the program is not there.
        var remedy: String
        /// When the kernel refuses.
        var remedyWhenRefused: String?
        /// For people: without the rig's own path.
        var words: String
    }

    private static func trials(_ capability: Capability, _ rig: String) -> [Trial] {
        let stage = Trial(
            arguments: [],
            remedy: "run as root, or allow user namespaces: sysctl -w kernel.unprivileged_userns_clone=1 "
                + "kernel.apparmor_restrict_unprivileged_userns=0 (those of the two that there are), user.max_user_namespaces=1000",
            words: "network and mount namespaces")
        func program(_ text: String, package: String, kernel: String) -> [Trial] {
            [
                stage,
                Trial(
                    arguments: text.split(separator: " ").map(String.init), remedy: "apt-get install \(package)",
                    remedyWhenRefused: kernel, words: text),
            ]
        }
        switch capability {
        case .privateStage:
            return program(
                "ip link add dev c0 type veth peer name s0", package: "iproute2",
                kernel: "a kernel with veth devices: modprobe veth")
        case .packetRules:
            return program(
                "iptables -w -A INPUT -p tcp --dport 9 -m multiport --sports 1,2 -j REJECT --reject-with tcp-reset",
                package: "iptables", kernel: "a kernel with netfilter: modprobe ip_tables xt_multiport ipt_REJECT")
        case .packetQueue:
            let kernel = "a kernel with packet queues: modprobe nfnetlink_queue xt_NFQUEUE"
            return program(
                "iptables -w -A INPUT -p tcp --dport 9 -j NFQUEUE --queue-num 0", package: "iptables", kernel: kernel)
                + [
                    Trial(
                        arguments: [rig, PacketQueueCommand.name, "--probe"], remedy: kernel,
                        words: "the rig listens on a queue")
                ]
        case .netem:
            return program(
                "tc qdisc add dev lo root netem delay 1ms", package: "iproute2",
                kernel: "a kernel with netem: modprobe sch_netem")
        case .rateLimit:
            return program(
                "tc qdisc add dev lo root tbf rate 1mbit burst 10kb latency 50ms", package: "iproute2",
                kernel: "a kernel with tbf: modprobe sch_tbf")
        case .socketKill:
            return [
                stage,
                Trial(
                    arguments: [rig, SocketKillTrial.command], remedy: "apt-get install iproute2",
                    remedyWhenRefused: "a kernel with CONFIG_INET_DIAG_DESTROY, as that of Debian and Ubuntu",
                    words: "ss -K on a connection of loopback"),
            ]
        default: preconditionFailure("\(capability.rawValue) is not tried on a stage")
        }
    }
}
