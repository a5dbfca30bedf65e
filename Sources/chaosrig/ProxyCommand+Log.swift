import Dispatch
import FaultProxy
import Glibc
import RigModel
import Threading

/// Writes the log of the proxy to standard output, on a queue of its own: a reader that stalls must not stall the relays.
/// Thread-safe.
final class ProxyLogWriter: Sendable {
    private struct Line {
        var time: timespec
        var level: LogLevel
        var message: String
        var fields: [JSONValue.Member]
    }

    private struct State {
        var waiting: [Line] = []
        var dropped = 0
    }

    /// Lines that wait for a slow reader; what comes then is dropped, and counted.
    private static let capacity = 1 << 16

    private let isJSON: Bool
    private let level: LogLevel
    private let state = Lock(State())
    private let queue = DispatchQueue(label: "proxy log")

    init(isJSON: Bool, level: LogLevel) {
        self.isJSON = isJSON
        self.level = level
    }

    var line: ProxyLog { { [self] level, message, fields in add(level, message, fields) } }

    private func add(_ level: LogLevel, _ message: String, _ fields: [JSONValue.Member]) {
        guard level >= self.level else { return }
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let isFirst = state.withLock { state in
            guard state.waiting.count < Self.capacity else {
                state.dropped += 1
                return false
            }
            state.waiting.append(Line(time: time, level: level, message: message, fields: fields))
            return state.waiting.count == 1
        }
        if isFirst { queue.async { [self] in write() } }
    }

    /// Returns when everything has been written, or after two seconds: nobody may read any more.
    func flush() {
        let done = DispatchSemaphore(value: 0)
        queue.async { [self] in
            write()
            done.signal()
        }
        _ = done.wait(timeout: .now() + 2)
    }

    private func write() {
        var taken = state.withLock { state in
            defer { state = State() }
            return state
        }
        if taken.dropped > 0, let last = taken.waiting.last {
            taken.waiting.append(
                Line(
                    time: last.time, level: .warning, message: "lines of this log were dropped: its reader is too slow",
                    fields: [.init("lines", JSONValue(taken.dropped))]))
        }
        var bytes: [UInt8] = []
        for line in taken.waiting {
            if isJSON { json(line).write(to: &bytes) } else { bytes += Array(text(line).utf8) }
            bytes.append(UInt8(ascii: "\n"))
        }
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            // A reader that has gone away is no reason to stop.
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }

    private func json(_ line: Line) -> JSONValue {
        .object(
            [
                .init("level", .string(line.level.rawValue)), .init("time", .string(Self.text(line.time))),
                .init("msg", .string(line.message)),
            ] + line.fields)
    }

    private func text(_ line: Line) -> String {
        let fields = line.fields.map { field in
            let value = field.value.stringValue ?? field.value.compactText
            let isPlain = !value.isEmpty && !value.contains { $0 == " " || $0 == "\"" || $0.isNewline }
            return " \(field.key)=" + (isPlain ? value : JSONValue.string(value).compactText)
        }
        return Self.text(line.time) + " \(line.level.rawValue.uppercased().padding(to: 5)) \(line.message)"
            + fields.joined()
    }

    /// UTC to the millisecond, RFC 3339.
    private static func text(_ time: timespec) -> String {
        var seconds = time.tv_sec
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func digits(_ number: Int, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        let date = [Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday)].map { digits($0, 2) }
        let clock = [Int(parts.tm_hour), Int(parts.tm_min), Int(parts.tm_sec)].map { digits($0, 2) }
        return date.joined(separator: "-") + "T" + clock.joined(separator: ":")
            + ".\(digits(time.tv_nsec / 1_000_000, 3))Z"
    }
}

/// Turns what a relay tells into lines of the log. Thread-safe.
final class ProxyConnectionLog: Sendable {
    private struct State {
        /// Of the connections that are open, by number.
        var clients: [Int: String] = [:]
        var warnedAt: MonotonicInstant?
    }

    private let common: [JSONValue.Member]
    private let upstream: String
    private let log: ProxyLog
    private let state = Lock(State())

    init(_ proxy: ProxyDefinition, _ log: @escaping ProxyLog) {
        common = [.init("proxy", .string(proxy.name))]
        upstream = proxy.upstream
        self.log = log
    }

    func note(_ event: RelayEvent) {
        switch event {
        case .opened(let number, let client):
            state.withLock { $0.clients[number] = client }
            log(.info, "connection opened", about(number, client))
        case .closed(let number, let reason, let bytesUpstream, let bytesDownstream):
            let client = state.withLock { $0.clients.removeValue(forKey: number) } ?? ""
            log(
                .info, "connection closed",
                about(number, client) + [
                    .init("reason", .string("\(reason)")), .init("bytes_upstream", JSONValue(bytesUpstream)),
                    .init("bytes_downstream", JSONValue(bytesDownstream)),
                ])
        case .cutHit(let number, let cut, let facts):
            let client = state.withLock { $0.clients[number] } ?? ""
            log(
                .info, "cut point hit",
                about(number, client) + [
                    .init("cut", .string(cut)), .init("user", JSONValue(facts.user)),
                    .init("backend_pid", JSONValue(facts.backendPID.map(Int.init))),
                ])
        case .cutsAreBlind(let number, let phase):
            let client = state.withLock { $0.clients[number] } ?? ""
            let what = phase == .encrypted ? "is encrypted" : "does not speak PostgreSQL's protocol"
            log(
                .warning,
                "a connection \(what): its bytes are relayed, but cut points see nothing of them (told once per proxy)",
                about(number, client))
        case .descriptorShortage:
            tell(
                atMostOnceASecond: "no file descriptor left for a connection: raise the limit of open files (ulimit -n)"
            )
        case .listenFailed(let why):
            tell(atMostOnceASecond: "the server can be reached again, but clients cannot: \(why); it is tried again")
        }
    }

    /// There may be thousands.
    private func tell(atMostOnceASecond warning: String) {
        let now = MonotonicInstant.now
        let isDue = state.withLock { state in
            if let last = state.warnedAt, last.duration(to: now) < .seconds(1) { return false }
            state.warnedAt = now
            return true
        }
        if isDue { log(.warning, warning, common) }
    }

    private func about(_ number: Int, _ client: String) -> [JSONValue.Member] {
        common + [
            .init("connection", JSONValue(number)), .init("client", .string(client)),
            .init("upstream", .string(upstream)),
        ]
    }
}
