/// The log of a server that is the run's own, as far as it is about sessions of the pool.
package protocol ServerLog: Sendable {
    /// Where the log ends now.
    func position() async -> Int
    /// What was written since then, oldest first. A message that is being written comes with the next look.
    func messages(since position: Int) async -> [ServerLogMessage]
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
