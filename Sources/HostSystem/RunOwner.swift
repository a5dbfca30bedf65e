import Foundation

/// Who made a temporary folder: `owner.json` in it. By it another process tells a live run's folder from a dead one's.
package struct RunOwner: Sendable, Equatable, Codable {
    package let pid: Int32
    package let startTicks: UInt64
    /// The boot and the process namespace in which the number means something.
    package let boot: String
    package let namespace: String
    /// Absolute path of the run's journal; `nil` where the folder is all there is to undo.
    package let journal: String?

    package init(pid: Int32, startTicks: UInt64, boot: String, namespace: String, journal: String?) {
        self.pid = pid
        self.startTicks = startTicks
        self.boot = boot
        self.namespace = namespace
        self.journal = journal
    }

    /// This process as owner.
    package init(journal: String?) {
        let current = ProcessIdentity.current
        self.init(
            pid: current.pid, startTicks: current.startTicks, boot: Self.currentBoot, namespace: Self.currentNamespace,
            journal: journal)
    }

    /// Whether it is certain that the owner has ended. Never certain for a process of another container that shares the
    /// temporary folder: its numbers mean nothing here.
    package var isDead: Bool {
        if boot != Self.currentBoot { return true }
        return namespace == Self.currentNamespace && !ProcessTable.isAlive(pid, startTicks: startTicks)
    }

    package static let fileName = "owner.json"

    package static func path(in folder: String) -> String { "\(folder)/\(fileName)" }

    /// - Returns: `nil` when there is none that can be read.
    package static func read(in folder: String) -> RunOwner? {
        guard let bytes = SmallFile.bytes(path(in: folder), limit: 1 << 16) else { return nil }
        return try? JSONDecoder().decode(RunOwner.self, from: Data(bytes))
    }

    /// Returns once it is on disk.
    package func write(in folder: String) throws(SystemError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else {
            preconditionFailure("an owner holds only numbers and text, which always encode")
        }
        try SmallFile.write(Array(data) + [UInt8(ascii: "\n")], to: Self.path(in: folder))
        try SmallFile.syncFolder(folder)
    }

    private static var currentBoot: String { SmallFile.text("/proc/sys/kernel/random/boot_id") ?? "" }
    private static var currentNamespace: String { SmallFile.linkTarget("/proc/self/ns/pid") ?? "" }
}
