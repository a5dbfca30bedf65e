import FaultInjection

/// The log files of the private server and its standby, read from where they ended at a given time.
struct ServerLogFile: ServerLog {
    let paths: [String]
    let application: String

    func position() async -> LogPosition {
        var position = LogPosition(bytes: [])
        for path in paths { position.bytes.append(await LogFile.size(path)) }
        return position
    }

    func lines(since position: LogPosition) async -> (lines: [String], end: LogPosition) {
        var all: [String] = []
        var end = position
        for (index, path) in paths.enumerated() {
            let (lines, next) = await LogFile.lines(of: path, since: position.bytes[index])
            all += lines
            end.bytes[index] = next
        }
        return (all, end)
    }
}
