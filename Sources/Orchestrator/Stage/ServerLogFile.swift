import FaultInjection

/// The log file of the private server, read from where it ended at a given time.
struct ServerLogFile: ServerLog {
    let path: String
    /// Whose messages are given.
    let application: String

    func position() async -> Int { await LogFile.size(path) }

    func messages(since position: Int) async -> [ServerLogMessage] {
        await LogFile.lines(of: path, since: position)
            .compactMap { ServerLogMessage(line: $0, application: application) }
    }
}
