/// The log of a server that is the run's own, and of its standby where it has one: either may be the one that the pool uses.
package protocol ServerLog: Sendable {
    /// What sessions of the pool bear as their `application_name`.
    var application: String { get }
    /// Where the log ends now.
    func position() async -> LogPosition
    /// Whole lines that were written since then, oldest first, and where they end. A line that is being written comes with
    /// the next look.
    func lines(since position: LogPosition) async -> (lines: [String], end: LogPosition)
}

/// Where the logs of the run's servers end, in bytes. A value.
package struct LogPosition: Sendable, Equatable {
    package var bytes: [Int]

    package init(bytes: [Int]) { self.bytes = bytes }
}

extension ServerLog {
    /// What was written since then about sessions of the pool, oldest first, and where it ends.
    func messages(since position: LogPosition) async -> (messages: [ServerLogMessage], end: LogPosition) {
        let (lines, end) = await lines(since: position)
        return (lines.compactMap { ServerLogMessage(line: $0, application: application) }, end)
    }
}

/// A message of the server about a session of the pool. A value.
package struct ServerLogMessage: Sendable, Equatable {
    /// Of the backend.
    package var pid: Int32
    /// `ERROR`, `FATAL`, `LOG`, …
    package var severity: String
    package var text: String

    package init(pid: Int32, severity: String, text: String) {
        self.pid = pid
        self.severity = severity
        self.text = text
    }

    /// Reads a line that begins as `log_line_prefix = '%m [%p] %a '` makes it.
    ///
    /// - Returns: `nil` for a line that is about another application, or continues a message.
    package init?(line: some StringProtocol, application: String) {
        guard let open = line.firstIndex(of: "["), let close = line[open...].firstIndex(of: "]"),
            let pid = Int32(line[line.index(after: open)..<close])
        else { return nil }
        let prefix = "] \(application) "
        let rest = line[close...]
        guard rest.hasPrefix(prefix) else { return nil }
        let message = rest.dropFirst(prefix.count)
        guard let colon = message.firstIndex(of: ":") else { return nil }
        self.init(
            pid: pid, severity: String(message[..<colon]),
            text: String(message[message.index(after: colon)...].drop { $0 == " " }))
    }
}
