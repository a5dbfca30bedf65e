import Glibc
import HostSystem
import RigModel
import Threading

/// Runs `chaosrig run` in a process of its own, as one of the variants of ``RigOverhead``.
package struct WatchedChild: Sendable {
    private static let warmUp = 1.0
    private static let limit = Duration.seconds(60)

    private let executable: String
    private let dsn: String
    private let seconds: Double
    private let clients: Int

    /// - Parameters:
    ///   - seconds: of load, beside a second of warming up.
    ///   - clients: on half as many connections: enough that processors, and not waiting, limit what is done.
    ///   - executable: this program.
    package init(database: BenchDatabase, seconds: Double, clients: Int, executable: String = "/proc/self/exe") {
        dsn = database.dsn
        self.seconds = seconds
        self.clients = clients
        self.executable = executable
    }

    package func run(_ variant: RigOverhead.Variant, seed: Int) async throws(BenchError) -> RigRunFigures {
        let folder = try BenchFolder()
        let result: Result<RigRunFigures, BenchError> = await onOwnThread("watched run") {
            do throws(BenchError) { return .success(try run(variant, seed: seed, in: folder)) } catch {
                return .failure(error)
            }
        }
        try folder.remove()
        return try result.get()
    }

    /// Closed model: as fast as the pool gives connections.
    private var scenario: String {
        """
        name: overhead
        target: {postgres: {url: "\(dsn)"}}
        pool: {max-open: \(max(1, clients / 2)), min-idle: \(max(1, clients / 2))}
        workload: {clients: \(clients), mix: {read: 80, append: 20}}
        phases: {warm-up: \(Self.warmUp)s, steady: \(seconds)s, faults: 0s, settle: 0s}
        invariants: {zero-leaked-connections: {}}

        """
    }

    private func run(
        _ variant: RigOverhead.Variant, seed: Int, in folder: BenchFolder
    ) throws(BenchError) -> RigRunFigures {
        let file = folder.file("overhead.yaml")
        var arguments = ["run", file, "--out", folder.file("runs"), "--seed", "\(seed)"]
        if variant != .progress { arguments.append("--quiet") }
        var screen: PseudoTerminal?
        var scraper: Scraper?
        do {
            try SmallFile.write(Array(scenario.utf8), to: file)
            if variant == .progress { screen = try PseudoTerminal() }
            if variant == .metrics {
                let port = try Scraper.freePort()
                arguments += ["--metrics", "127.0.0.1:\(port)"]
                scraper = Scraper(port: port, every: .seconds(1))
            }
        } catch {
            throw .failed("\(error)")
        }
        defer {
            _ = scraper?.stop()
            _ = screen?.stop()
        }
        let before = Self.processorSecondsOfChildren
        try runChild(arguments, screen)
        let processorSeconds = Self.processorSecondsOfChildren - before
        var figures = RigRunFigures(
            operations: try operations(in: folder.file("runs/overhead/latest/report.json")),
            seconds: Self.warmUp + seconds, processorSeconds: processorSeconds)
        figures.scrapes = scraper?.stop() ?? 0
        figures.screenBytes = screen?.stop() ?? 0
        // A variant that nobody watched would show no difference.
        if variant == .metrics, Double(figures.scrapes) < seconds / 2 {
            throw .failed("the metrics were scraped \(figures.scrapes) times in \(seconds) s")
        }
        if variant == .progress, figures.screenBytes == 0 { throw .failed("the run showed nothing on its terminal") }
        return figures
    }

    private func runChild(_ arguments: [String], _ screen: PseudoTerminal?) throws(BenchError) {
        var environment = currentEnvironment()
        environment["CI"] = nil
        environment["TERM"] = "xterm-256color"
        let child: ChildProcess
        do {
            child = try ChildProcess(
                SpawnRequest(
                    path: executable, arguments: arguments, environment: environment,
                    standardError: screen?.terminal, deathSignal: SIGKILL))
        } catch {
            throw .failed("\(error)")
        }
        guard let end = child.waitBlocking(until: .now.advanced(by: Self.limit + .seconds(Int(seconds)))) else {
            child.signalGroup(SIGTERM)
            if child.waitBlocking(until: .now.advanced(by: .seconds(20))) == nil { child.signalGroup(SIGKILL) }
            throw .failed("chaosrig \(arguments.joined(separator: " ")) did not end")
        }
        guard end == .exited(0) else {
            throw .failed("chaosrig \(arguments.joined(separator: " ")) ended with \(end)")
        }
    }

    private func operations(in path: String) throws(BenchError) -> Int {
        guard let report = SmallFile.text(path).flatMap({ try? JSONValue(parsing: $0) }),
            case .object(let kinds)? = report["workload"]
        else { throw .failed("the run left no report in \(path)") }
        return kinds.reduce(0) { $0 + Int($1.value["ok"]?.intValue ?? 0) }
    }

    private static var processorSecondsOfChildren: Double {
        var usage = rusage()
        guard getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage) == 0 else { return 0 }
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}
