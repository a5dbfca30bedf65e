import Glibc
import HostSystem

/// Whether the rig may make a control group, set a limit in it and put a process there: tried with this process.
///
/// In a process of its own, which takes the group away also when the rig is killed meanwhile: nothing of it is in a journal.
package enum ControlGroupTrial {
    /// The hidden command of the rig that does it.
    package static let command = "__control-group"

    /// - Parameter arguments: the controller.
    /// - Returns: exit status 0 when it did, with its words on standard output; 1 otherwise, with the reason there.
    package static func main(_ arguments: [String]) -> Int32 {
        guard let controller = arguments.first.flatMap(ControlGroup.Controller.init) else {
            return say("which one?", 1)
        }
        var group: ControlGroup?
        var answer: (words: String, code: Int32)
        do {
            let place = try ControlGroup.place(
                for: getpid(), controller: controller, name: "probe-\(controller.rawValue)-\(getpid())")
            group = place
            try place.make()
            for (value, file) in limits(controller, isVersion2: place.isVersion2) { try place.set(value, file) }
            try place.take(getpid())
            answer = ("a \(controller.rawValue) control group (version \(place.isVersion2 ? 2 : 1))", 0)
        } catch {
            answer = ("\(error)", 1)
        }
        do { if let group { try Undoer().perform(group.undo) } } catch { answer = ("\(error)", 1) }
        return say(answer.words, answer.code)
    }

    private static func limits(
        _ controller: ControlGroup.Controller, isVersion2: Bool
    ) -> [(value: String, file: String)] {
        switch controller {
        case .cpu: isVersion2 ? [("50000 100000", "cpu.max")] : [("50000", "cpu.cfs_quota_us")]
        // More than this process needs.
        case .memory: [("1073741824", isVersion2 ? "memory.max" : "memory.limit_in_bytes")]
        }
    }

    private static func say(_ text: String, _ code: Int32) -> Int32 {
        try? SmallFile.writeAll(Array("\(text)\n".utf8), to: STDOUT_FILENO, path: "standard output")
        return code
    }
}
