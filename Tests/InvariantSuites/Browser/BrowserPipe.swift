import CLinux
import Glibc
import HostSystem
import RigModel
import Threading

/// A browser without a window, driven over a pipe by the DevTools protocol: JSON messages, each ended by a zero byte.
///
/// Blocks; for one thread that is not of the cooperative pool. Its owner closes it.
final class BrowserPipe {
    private static let patience = Duration.seconds(60)

    private let child: ChildProcess
    private let identity: ProcessIdentity?
    private let toBrowser: Int32
    private let fromBrowser: Int32
    private var unread: [UInt8] = []
    private var lastNumber = 0
    /// What the browser told without being asked, since it was last taken.
    private(set) var events: [JSONValue] = []

    /// - Parameter folder: an empty folder of its own: profile, caches, sockets.
    /// - Throws: when there is no browser: a report that nobody looked at is not tested.
    init(folder: String) throws {
        guard let browser = findProgram("chromium") ?? findProgram("chromium-browser") ?? findProgram("google-chrome")
        else {
            throw RigTestError("there is no chromium here; get it with: scripts/install-missing build browser")
        }
        var input: [Int32] = [-1, -1]
        var output: [Int32] = [-1, -1]
        guard clinux_pipe(&input) == 0 else { throw SystemError("make a pipe") }
        defer { close(input[0]) }
        toBrowser = input[1]
        guard clinux_pipe(&output) == 0 else {
            close(input[1])
            throw SystemError("make a pipe")
        }
        defer { close(output[1]) }
        fromBrowser = output[0]
        var environment = ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"]
        for name in ["HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"] {
            environment[name] = folder
        }
        do throws(SystemError) {
            // It speaks on the descriptors 3 and 4.
            child = try ChildProcess(
                SpawnRequest(
                    path: "/bin/sh",
                    arguments: [
                        "-c", #"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#, browser, "--headless=new",
                        // In containers, and for root, it cannot make its sandbox; it opens our own page only.
                        "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-breakpad",
                        "--disable-background-networking", "--disable-component-update", "--no-first-run",
                        "--hide-scrollbars", "--remote-debugging-pipe", "--user-data-dir=\(folder)",
                    ], environment: environment, workingDirectory: folder, standardInput: input[0],
                    standardOutput: output[1], newSession: true))
        } catch {
            close(input[1])
            close(output[0])
            throw error
        }
        identity = ProcessTable.identity(of: child.pid)
    }

    /// Ends it with all that it started.
    ///
    /// - Returns: processes that were still there ten seconds later.
    func end() -> [ProcessIdentity] {
        child.signalGroup(SIGKILL)
        _ = child.waitBlocking(until: .now.advanced(by: .seconds(10)))
        close(toBrowser)
        close(fromBrowser)
        guard let identity else { return [] }
        _ = Waiting.untilTrue(before: .now.advanced(by: .seconds(10))) {
            let left = ProcessTable.session(of: identity)
            for process in left { kill(process.pid, SIGKILL) }
            return left.isEmpty
        }
        return ProcessTable.session(of: identity)
    }

    /// - Returns: the result of the call.
    /// - Throws: when the browser answers with an error, or not within a minute.
    func call(_ method: String, _ parameters: JSONValue = [:], session: String? = nil) throws -> JSONValue {
        lastNumber += 1
        let number = lastNumber
        var message: [JSONValue.Member] = [
            .init("id", JSONValue(number)), .init("method", .string(method)), .init("params", parameters),
        ]
        if let session { message.append(.init("sessionId", .string(session))) }
        try SmallFile.writeAll(
            Array(JSONValue.object(message).compactText.utf8) + [0], to: toBrowser, path: "the browser")
        let deadline = MonotonicInstant.now.advanced(by: Self.patience)
        while true {
            let answer = try read(until: deadline, "an answer to \(method)")
            guard answer["id"]?.intValue == Int64(number) else {
                events.append(answer)
                continue
            }
            if let error = answer["error"] { throw RigTestError("\(method): \(error.compactText)") }
            return answer["result"] ?? .null
        }
    }

    /// Waits until the browser has told something, now or since the events were last taken.
    func wait(for method: String) throws {
        let deadline = MonotonicInstant.now.advanced(by: Self.patience)
        while !events.contains(where: { $0["method"]?.stringValue == method }) {
            events.append(try read(until: deadline, method))
        }
    }

    func takeEvents() -> [JSONValue] {
        defer { events = [] }
        return events
    }

    private func read(until deadline: MonotonicInstant, _ wanted: String) throws -> JSONValue {
        var chunk = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            if let end = unread.firstIndex(of: 0) {
                let message = try JSONValue(parsing: unread[..<end])
                unread.removeSubrange(...end)
                return message
            }
            guard Waiting.forDescriptor(fromBrowser, until: deadline) else {
                throw RigTestError("the browser did not tell \(wanted) within \(Self.patience)")
            }
            let got = Glibc.read(fromBrowser, &chunk, chunk.count)
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else { throw RigTestError("the browser ended (\(String(describing: child.exitStatus)))") }
            unread += chunk[..<got]
        }
    }
}
