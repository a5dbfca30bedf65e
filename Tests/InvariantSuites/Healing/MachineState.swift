import Foundation
import HostSystem
import RigTestSupport

/// What of this machine a run could have changed, outside its own processes and folders. A value to compare.
struct MachineState: Sendable, Equatable {
    /// What a command prints, or what is there, by name.
    private(set) var parts: [String: String]

    static func read() async throws -> MachineState {
        var parts: [String: String] = [:]
        for (name, arguments) in [
            ("firewall rules", ["iptables-save"]), ("firewall rules of IPv6", ["ip6tables-save"]),
            ("network namespaces", ["ip", "netns", "list"]), ("network devices", ["ip", "-o", "-brief", "link"]),
            ("queues", ["tc", "qdisc", "show"]), ("addresses", ["ip", "-o", "-brief", "address"]),
        ] {
            // Without the program nothing of its kind can be there.
            guard let path = findProgram(arguments[0]) else { continue }
            let result = try await runProgram(path: path, arguments: Array(arguments.dropFirst()))
            parts[name] = withoutCounters(result.standardOutput)
        }
        parts["mounts"] = try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
        parts["control groups"] = controlGroups().sorted().joined(separator: "\n")
        return MachineState(parts: parts)
    }

    /// What differs, in words.
    func differences(from before: MachineState) -> [String] {
        Set(parts.keys).union(before.parts.keys).sorted().filter { parts[$0] != before.parts[$0] }.map {
            "\($0) were:\n\(before.parts[$0] ?? "nothing")\nand are:\n\(parts[$0] ?? "nothing")"
        }
    }

    /// `iptables-save` writes the time, and how many packets each chain has seen.
    private static func withoutCounters(_ text: String) -> String {
        text.split(separator: "\n").filter { !$0.hasPrefix("#") }
            .map { $0.replacing(/\[\d+:\d+\]/, with: "") }.joined(separator: "\n")
    }

    /// Groups that carry the rig's name.
    private static func controlGroups() -> [String] {
        let root = "/sys/fs/cgroup"
        guard let walk = FileManager.default.enumerator(atPath: root) else { return [] }
        return walk.compactMap { $0 as? String }.filter {
            ($0 as NSString).lastPathComponent.hasPrefix("chaosrig")
        }
    }
}
