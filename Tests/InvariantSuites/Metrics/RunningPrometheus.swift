import DatabaseServers
import Foundation
import Glibc
import HostSystem
import RigModel
import RigTestSupport
import Testing
import Threading

/// A Prometheus of its own that scrapes one address, with its data in a folder that goes away with it.
final class RunningPrometheus: Sendable {
    private static let patience = Duration.seconds(120)

    private let folder: TemporaryFolder
    private let child: ChildProcess
    private let client: HTTPClient

    /// Returns when it is ready.
    ///
    /// - Parameter native: it takes native histograms, and asks for protobuf.
    init(scraping address: String, native: Bool) async throws {
        guard let program = findProgram("prometheus") else {
            throw RigTestError("there is no prometheus here; scripts/install-missing metrics installs it")
        }
        folder = try TemporaryFolder()
        let config = """
            global: {scrape_interval: 1s, scrape_timeout: 1s}
            scrape_configs:
              - {job_name: chaosrig, static_configs: [{targets: ["\(address)"]}]}

            """
        try SmallFile.write(Array(config.utf8), to: folder.file("prometheus.yml"))
        let log = open(folder.file("log"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(log) }
        let port = try ServerPort.choose(seed: .random(in: .min ... .max))
        child = try ChildProcess(
            SpawnRequest(
                path: program,
                arguments: [
                    "--config.file", folder.file("prometheus.yml"), "--storage.tsdb.path", folder.file("data"),
                    "--web.listen-address", "127.0.0.1:\(port)",
                ] + (native ? ["--enable-feature=native-histograms"] : []), standardOutput: log, standardError: log))
        client = HTTPClient("127.0.0.1:\(port)")
        let isReady = try await eventually { (try? await self.client.send("GET", "/-/ready").status) == 200 }
        guard isReady else {
            throw RigTestError("prometheus is not ready: \(SmallFile.text(folder.file("log"))?.suffix(2000) ?? "")")
        }
    }

    deinit { if child.isRunning { child.signalGroup(SIGKILL) } }

    func end() async {
        child.signal(SIGTERM)
        #expect(await child.wait(within: Self.patience) == .exited(0))
    }

    /// The values of a query's answer; empty where nothing fits.
    func values(_ query: String) async throws -> [Double] {
        let answer = try await get("/api/v1/query?query=\(Self.escaped(query))")
        guard answer["status"] == "success" else { throw RigTestError("\(query): \(answer.compactText)") }
        return (answer["data"]?["result"]?.arrayValue ?? []).compactMap { sample in
            sample["value"]?.arrayValue?.last?.stringValue.flatMap { Double($0) }
        }
    }

    /// Waits until the query has an answer.
    func expect(_ query: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let isThere = try await eventually { try await !self.values(query).isEmpty }
        if isThere { return }
        let target = try await target
        Issue.record("\(query) has no answer; target: \(target)", sourceLocation: sourceLocation)
    }

    /// What Prometheus thinks of the address that it scrapes.
    var target: String {
        get async throws { try await get("/api/v1/targets")["data"]?["activeTargets"]?.compactText ?? "none" }
    }

    private func get(_ path: String) async throws -> JSONValue {
        try JSONValue(parsing: try await client.send("GET", path).body)
    }

    /// Asks again and again: what another program does cannot be waited for.
    private func eventually(_ isTrue: () async throws -> Bool) async throws -> Bool {
        let deadline = MonotonicInstant.now.advanced(by: Self.patience)
        while MonotonicInstant.now < deadline {
            if try await isTrue() { return true }
            try await Task.sleep(for: .milliseconds(100))
        }
        return false
    }

    private static func escaped(_ query: String) -> String {
        query.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? query
    }
}
