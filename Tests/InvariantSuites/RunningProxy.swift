import Foundation
import HostSystem
import RigModel
import RigTestSupport
import Threading

/// `chaosrig proxy` as a user runs it, with its API on a free port, and what its log says.
final class RunningProxy: Sendable {
    /// What it has logged so far, and who waits for more.
    private struct Log {
        var text = ""
        var lines: [JSONValue] = []
        var isOver = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private final class Reader: Sendable {
        let log = Lock(Log())
    }

    private let process: Lock<Process>
    private let reader: Reader
    let pid: Int32
    /// Where its API is served; empty without one.
    let address: String
    var client: HTTPClient { HTTPClient(address) }

    /// Returns when it is ready.
    init(_ arguments: [String] = ["--api", "127.0.0.1:0"], environment: [String: String] = [:]) async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Rig.path)
        process.arguments = ["proxy", "--log", "json"] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let output = Pipe()
        let reader = Reader()
        output.fileHandleForReading.readabilityHandler = { handle in
            let data = handle.availableData
            let waiters = reader.log.withLock { log in
                if data.isEmpty { log.isOver = true }
                log.text += String(decoding: data, as: UTF8.self)
                while let end = log.text.firstIndex(of: "\n") {
                    if let line = try? JSONValue(parsing: String(log.text[..<end])) { log.lines.append(line) }
                    log.text = String(log.text[log.text.index(after: end)...])
                }
                defer { log.waiters = [] }
                return log.waiters
            }
            if data.isEmpty { handle.readabilityHandler = nil }
            for waiter in waiters { waiter.resume() }
        }
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        pid = process.processIdentifier
        self.process = Lock(process)
        self.reader = reader
        _ = try await Self.line(reader) { $0["msg"] == "ready" }
        let serving = reader.log.withLock { $0.lines }.first { $0["msg"] == "serving the control API" }
        address = serving?["address"]?.stringValue ?? ""
    }

    deinit { kill(pid, SIGKILL) }

    var lines: [JSONValue] { reader.log.withLock { $0.lines } }

    /// The first line of the log that fits, as soon as there is one. The test's time limit bounds it.
    func line(_ fits: @escaping @Sendable (JSONValue) -> Bool) async throws -> JSONValue {
        try await Self.line(reader, fits)
    }

    private static func line(
        _ reader: Reader, _ fits: @escaping @Sendable (JSONValue) -> Bool
    ) async throws -> JSONValue {
        while true {
            let (found, isOver) = reader.log.withLock { ($0.lines.first(where: fits), $0.isOver) }
            if let found { return found }
            if isOver { throw RigTestError("the proxy ended, and has not logged what was expected") }
            let seen = reader.log.withLock { $0.lines.count }
            await withCheckedContinuation { continuation in
                let isNews = reader.log.withLock { log in
                    guard log.lines.count == seen, !log.isOver else { return true }
                    log.waiters.append(continuation)
                    return false
                }
                if isNews { continuation.resume() }
            }
        }
    }

    /// Sends the signal, and returns the exit code.
    ///
    /// Under the thread sanitizer the main thread of an async program sits in a destructor of its own, where the sanitizer
    /// may put a signal off for ever: there it is sent again.
    func end(_ signal: Int32 = SIGTERM) async -> Int32 {
        let isSanitized = ProcessInfo.processInfo.environment["CHAOSRIG_SANITIZER"] != nil
        kill(pid, signal)
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread { [self] in
                let process = process.withLock { ProcessBox($0) }
                while isSanitized, process.value.isRunning {
                    let hasEnded = Waiting.untilTrue(before: .now.advanced(by: .seconds(5))) {
                        !process.value.isRunning
                    }
                    if !hasEnded { kill(pid, signal) }
                }
                process.value.waitUntilExit()
                continuation.resume(returning: process.value.terminationStatus)
            }
        }
    }

    private struct ProcessBox: @unchecked Sendable {
        // @unchecked: only `waitUntilExit` and `terminationStatus` are used, after the start.
        let value: Process
        init(_ value: Process) { self.value = value }
    }

    /// Sends a request, and reads the answer's JSON; a string where it is none.
    func json(_ method: String, _ path: String, _ body: String = "") async throws -> (status: Int, body: JSONValue) {
        let reply = try await client.send(method, path, body)
        return (reply.status, (try? JSONValue(parsing: reply.body)) ?? .string(reply.body))
    }
}
