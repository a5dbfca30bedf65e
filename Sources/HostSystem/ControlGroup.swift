import Glibc

/// A control group of the rig's own with one process in it, in version 1 or 2. A value; every call does file access.
package struct ControlGroup: Sendable, Equatable {
    package enum Controller: String, Sendable {
        case cpu
        case memory
    }

    /// Absolute path of its folder, which begins with `chaosrig-`.
    package let path: String
    /// The group that the process was in.
    package let home: String
    package let isVersion2: Bool

    /// How a group that does not exist yet is undone.
    package var undo: Undo { .removeControlGroup(path: path, backTo: home) }

    /// Where a group for this process would be. Makes nothing.
    ///
    /// - Parameter name: letters, digits and `-`; unique on this machine.
    /// - Throws: why this machine has no such groups.
    package static func place(
        for pid: Int32, controller: Controller, name: String
    ) throws(ControlGroupError) -> ControlGroup {
        let memberships = SmallFile.text("/proc/\(pid)/cgroup") ?? ""
        let mounts = SmallFile.text("/proc/self/mounts") ?? ""
        guard
            let found = find(controller, memberships: memberships, mounts: mounts, isFolder: { SmallFile.exists($0) })
        else {
            throw ControlGroupError("no control groups with the controller \(controller.rawValue) are mounted")
        }
        let path = "\(found.parent)/chaosrig-\(name)"
        guard isRigs(path) else {
            throw ControlGroupError(
                "the control groups with the controller \(controller.rawValue) are in \(found.parent), where the rig would not "
                    + "dare to remove one; mount them below /sys/fs/cgroup")
        }
        return ControlGroup(path: path, home: found.home, isVersion2: found.isVersion2)
    }

    /// Whether a path is a control group that the rig makes, and may remove. Pure.
    static func isRigs(_ path: String) -> Bool {
        let parts = path.split(separator: "/")
        return path.hasPrefix("/sys/fs/cgroup/") && parts.last?.hasPrefix("chaosrig-") == true && !parts.contains("..")
    }

    /// Pure: where a new group belongs, by the texts of /proc/PID/cgroup and /proc/self/mounts.
    static func find(
        _ controller: Controller, memberships: String, mounts: String, isFolder: (String) -> Bool
    ) -> (parent: String, home: String, isVersion2: Bool)? {
        let lines = memberships.split(separator: "\n").map {
            $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        }
        var version2: (parent: String, home: String, isVersion2: Bool)?
        for mount in mounts.split(separator: "\n") {
            let words = mount.split(separator: " ")
            guard words.count > 3 else { continue }
            let folder = String(words[1])
            func home(_ path: Substring) -> String {
                // In a container the path may begin above what is mounted there.
                let whole = path == "/" ? folder : folder + path
                return isFolder(whole) ? whole : folder
            }
            if words[2] == "cgroup", words[3].split(separator: ",").contains(Substring(controller.rawValue)),
                let line = lines.first(where: {
                    $0.count == 3 && $0[1].split(separator: ",").contains(Substring(controller.rawValue))
                })
            {
                let own = home(line[2])
                return (own, own, false)
            }
            if words[2] == "cgroup2", let line = lines.first(where: { $0.count == 3 && $0[0] == "0" }) {
                // Beside other groups at the root: below a group with processes in it a controller cannot be had.
                if version2 == nil { version2 = (folder, home(line[2]), true) }
            }
        }
        return version2
    }

    /// Makes the folder. Announce ``undo`` before.
    package func make() throws(ControlGroupError) {
        guard mkdir(path, 0o755) == 0 else { throw ControlGroupError("cannot make \(path): \(errorText(errno))") }
    }

    /// Sets one of its values.
    package func set(_ value: String, _ file: String) throws(ControlGroupError) {
        let code = ControlGroupFile.write(value, to: "\(path)/\(file)")
        guard code == 0 else { throw ControlGroupError("cannot write \(value) to \(path)/\(file): \(errorText(code))") }
    }

    /// Puts a process into it, with all its threads.
    package func take(_ pid: Int32) throws(ControlGroupError) {
        try set("\(pid)", "cgroup.procs")
        guard ControlGroupFile.processes(of: path).contains(pid) else {
            throw ControlGroupError("process \(pid) did not get into \(path)")
        }
    }

    /// One number of a file of lines like `nr_throttled 12`, or of a file that holds only one number.
    package func number(_ file: String, _ key: String? = nil) -> Int64? {
        guard let text = SmallFile.text("\(path)/\(file)") else { return nil }
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let key else {
                return words.first.flatMap { Int64($0) }
            }
            if words.count == 2, words[0] == Substring(key) { return Int64(words[1]) }
        }
        return nil
    }

    /// Moves the processes back, removes it and checks that. Idempotent. Blocks, bounded.
    package func remove() async throws {
        let undo = undo
        try await onOwnThread("remove group", throwing: { () throws(UndoFailure) in try Undoer().perform(undo) })
    }
}

/// Why there is no control group.
package struct ControlGroupError: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}
