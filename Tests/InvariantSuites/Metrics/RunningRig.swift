import Glibc
import HostSystem
import RigTestSupport
import Testing
import Threading

/// `chaosrig run` as a user runs it, with metrics, while it goes on.
final class RunningRig: Sendable {
    private static let patience = Duration.seconds(120)

    let folder: TemporaryFolder
    /// Where the metrics are served.
    let address: String
    private let child: ChildProcess
    var client: HTTPClient { HTTPClient(address) }

    /// Returns when its metrics are served.
    ///
    /// - Parameter scenario: in YAML.
    init(_ scenario: String, seed: Int = 7, metrics: String = "127.0.0.1:0") async throws {
        let folder = try TemporaryFolder()
        try SmallFile.write(Array(scenario.utf8), to: folder.file("scenario.yaml"))
        let log = open(folder.file("log"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(log) }
        let child = try ChildProcess(
            SpawnRequest(
                path: Rig.path,
                arguments: [
                    "run", folder.file("scenario.yaml"), "--out", folder.file("out"), "--seed", "\(seed)", "--metrics",
                    metrics,
                ], standardOutput: log, standardError: log))
        self.folder = folder
        self.child = child
        let found = await onOwnThread("address") { () -> String? in
            var address: String?
            _ = Waiting.untilTrue(before: .now.advanced(by: Self.patience)) {
                let text = SmallFile.text(folder.file("log")) ?? ""
                address = text.firstMatch(of: /metrics: http:\/\/(\S+)\/metrics\n/).map { String($0.1) }
                return address != nil || !child.isRunning
            }
            return address
        }
        guard let found else {
            child.signalGroup(SIGKILL)
            throw RigTestError("the rig serves no metrics: \(SmallFile.text(folder.file("log")) ?? "no log")")
        }
        address = found
    }

    deinit { if child.isRunning { child.signalGroup(SIGKILL) } }

    var isRunning: Bool { child.isRunning }
    var log: String { SmallFile.text(folder.file("log")) ?? "" }

    /// Sends the signal, if any, and waits for the end.
    func end(_ signal: Int32? = SIGINT) async -> ProcessEnd? {
        if let signal { child.signal(signal) }
        return await child.wait(within: Self.patience)
    }
}
