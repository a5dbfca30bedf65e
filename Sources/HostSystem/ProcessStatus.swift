/// The fields of /proc/PID/stat that the rig uses (proc(5)).
package struct ProcessStatus: Sendable, Equatable {
    /// The program's short name, at most 15 bytes.
    package let name: String
    /// `R`, `S`, `D`, `T`, `Z`, …
    package let state: Character
    package let parent: Int32
    /// The number of the process that began its session.
    package let session: Int32
    /// Start time in clock ticks since boot. With the number it names a process for good.
    package let startTicks: UInt64

    /// Ended, and only waits for its parent to ask (zombie), or is about to vanish.
    package var isDead: Bool { state == "Z" || state == "X" || state == "x" }
    /// Stopped by a signal.
    package var isStopped: Bool { state == "T" || state == "t" }

    /// - Returns: `nil` when the line is not one of /proc/PID/stat.
    package init?(statLine line: String) {
        // The name is in parentheses and may hold any character, parentheses and spaces too: look for the last one.
        guard let start = line.firstIndex(of: "("), let end = line.lastIndex(of: ")"), start < end else { return nil }
        let fields = line[line.index(after: end)...].split(whereSeparator: \.isWhitespace)
        // fields[0] is the third field of the file; the start time is its 22nd.
        guard fields.count >= 20, let state = fields[0].first, let parent = Int32(fields[1]),
            let session = Int32(fields[3]),
            let ticks = UInt64(fields[19])
        else { return nil }
        name = String(line[line.index(after: start)..<end])
        self.state = state
        self.parent = parent
        self.session = session
        startTicks = ticks
    }
}
