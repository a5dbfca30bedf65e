/// Processes of this machine, read from /proc. Nothing here is cached; every answer may be old when it arrives, so a
/// process is named by ``ProcessIdentity`` and not by its number alone.
package enum ProcessTable {
    /// Every process number, in no order. O(processes).
    package static func pids() -> [Int32] { (SmallFile.names(in: "/proc") ?? []).compactMap { Int32($0) } }

    /// What /proc/PID/stat says, or `nil` when there is no such process.
    package static func status(of pid: Int32) -> ProcessStatus? {
        SmallFile.text("/proc/\(pid)/stat").flatMap(ProcessStatus.init(statLine:))
    }

    /// Number and start time of a process that exists (also of a zombie).
    package static func identity(of pid: Int32) -> ProcessIdentity? {
        status(of: pid).map { ProcessIdentity(pid: pid, startTicks: $0.startTicks) }
    }

    /// Whether the process with this number and start time still runs. A zombie does not.
    package static func isAlive(_ pid: Int32, startTicks: UInt64) -> Bool {
        guard let status = status(of: pid) else { return false }
        return status.startTicks == startTicks && !status.isDead
    }

    /// The arguments, or `nil` when they cannot be read; empty for zombies and kernel threads.
    package static func commandLine(of pid: Int32) -> [String]? {
        guard let bytes = SmallFile.bytes("/proc/\(pid)/cmdline") else { return nil }
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The network, as the kernel names it: `net:[4026532201]`. `nil` when it cannot be read (other user, zombie).
    package static func network(of pid: Int32) -> String? { SmallFile.linkTarget("/proc/\(pid)/ns/net") }

    /// Those in the session that this process began, itself too, also when it has ended. O(processes).
    package static func session(of leader: ProcessIdentity) -> [ProcessIdentity] {
        // While somebody is in its session its number is given to nobody else; a new process with it has none of ours.
        if let status = status(of: leader.pid), status.startTicks != leader.startTicks { return [] }
        return pids().compactMap { pid in
            guard let status = status(of: pid), status.session == leader.pid, status.startTicks >= leader.startTicks,
                !status.isDead
            else { return nil }
            return ProcessIdentity(pid: pid, startTicks: status.startTicks)
        }
    }

    /// The working directory, or `nil` when it cannot be read (other user, zombie). A removed one keeps its old name.
    package static func workingDirectory(of pid: Int32) -> String? {
        guard let target = SmallFile.linkTarget("/proc/\(pid)/cwd") else { return nil }
        let mark = " (deleted)"
        return target.hasSuffix(mark) ? String(target.dropLast(mark.count)) : target
    }

    /// The direct children that have not been waited for. O(processes).
    package static func children(of parent: Int32) -> [ProcessIdentity] {
        pids().compactMap { pid in
            guard let status = status(of: pid), status.parent == parent else { return nil }
            return ProcessIdentity(pid: pid, startTicks: status.startTicks)
        }
    }

    /// A process and everything above it, up to PID 1.
    package static func lineage(of pid: Int32) -> Set<Int32> {
        var line: Set<Int32> = [pid]
        var current = pid
        while let parent = status(of: current)?.parent, parent > 0, line.insert(parent).inserted { current = parent }
        return line
    }
}
