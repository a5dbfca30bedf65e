import ConnectionPool
import FaultInjection
import Foundation
import HostSystem
import PostgresDriver
import Probes
import RigModel
import ScenarioFile
import Threading
import Workloads

/// The pool under test in a process of its own: how it is started, and what faults may do to it. Thread-safe.
final class PoolChild: ClientControl {
    /// Somebody else's pool; `nil`: ours.
    private let adapter: [String]?
    private let logPath: String
    let scratch: String
    /// Its wall clock can be moved.
    private let hasClock: Bool
    private let pool = Lock<AdapterPool?>(nil)

    /// Starts nothing.
    ///
    /// - Parameters:
    ///   - logPath: where its standard error goes.
    ///   - scratch: the run's temporary folder.
    init(adapter: [String]?, logPath: String, scratch: String, hasClock: Bool) {
        self.adapter = adapter
        self.logPath = logPath
        self.scratch = scratch
        self.hasClock = hasClock
    }

    /// Refuses what cannot work, before anything is started.
    static func check(_ scenario: Scenario) throws(RunError) {
        guard scenario.pool.process == .child else { return }
        switch scenario.target {
        case .temporarySQLite, .sqlite:
            throw .usage(
                "pool.process: child needs a PostgreSQL target; an embedded database lives in the pool's process")
        default: break
        }
        guard let program = scenario.pool.adapter?.first else { return }
        if program.hasPrefix("/") ? !isExecutableFile(program) : findProgram(program) == nil {
            throw .missing("pool.adapter: the program \(program) is not on this machine, or may not be executed")
        }
    }

    // MARK: For the target

    /// Starts the process, and returns its pool when it has said hello.
    func start(
        _ configuration: PostgresConfiguration, _ context: TargetContext, _ sink: any EventSink
    ) async throws(RunError) -> any PoolUnderTest {
        let settings = context.settings
        let limits = settings.configuration
        let longest = limits.acquireTimeout + limits.statementTimeout * 4 + (settings.askAboutCommits ?? .zero)
        let made = AdapterPool(
            AdapterPool.Options(
                command: command, name: adapter == nil ? "chaosrig" : nil,
                environment: try environment(configuration, settings, seed: context.seed), logPath: logPath,
                acquireTimeout: limits.acquireTimeout, answerLimit: longest + .seconds(15),
                closeTimeout: limits.closeTimeout, policy: settings.policy, seed: context.seed),
            runtime: LoopRuntime(loop: context.rigLoop), sink: sink, journal: context.journal)
        do throws(AdapterError) {
            try await made.start()
        } catch {
            _ = await made.shutDown()
            throw .cannotProceed("\(error)")
        }
        pool.withLock { $0 = made }
        return made
    }

    func shutDown() async -> [String] { await pool.withLock { $0 }?.shutDown() ?? [] }

    /// None where there is no process.
    func establishedSockets(toRemotePort port: UInt16) -> Int? {
        guard let process else { return 0 }
        return SocketProbe.establishedSockets(toRemotePort: port, of: process.pid)
    }

    /// Our own names the run's folder: what removes that folder ends its users first.
    private var command: [String] {
        guard let adapter else { return [RigProgram.path, PoolProcessMain.command, scratch] }
        return [adapter[0].hasPrefix("/") ? adapter[0] : findProgram(adapter[0]) ?? adapter[0]] + adapter.dropFirst()
    }

    private func environment(
        _ configuration: PostgresConfiguration, _ settings: PoolSettings, seed: UInt64
    ) throws(RunError) -> [String: String] {
        var environment = ProcessInfo.processInfo.environment
        environment["CHAOSRIG_DSN"] = configuration.secretURL
        let pool = AdapterSettings(
            configuration: settings.configuration, askAboutCommits: settings.askAboutCommits, seed: seed)
        environment["CHAOSRIG_POOL"] = (adapter == nil ? pool.json : pool.commonJSON).compactText
        guard hasClock else { return environment }
        guard let library = FakeTimeLibrary.path else { throw .missing(FakeTimeLibrary.remedy) }
        do { try shiftClock(by: .zero) } catch { throw .cannotProceed("\(error)") }
        environment["LD_PRELOAD"] = library
        environment["FAKETIME_TIMESTAMP_FILE"] = clockPath
        environment["FAKETIME_NO_CACHE"] = "1"
        environment["FAKETIME_DONT_FAKE_MONOTONIC"] = "1"
        environment["DONT_FAKE_MONOTONIC"] = "1"
        return environment
    }

    private var clockPath: String { "\(scratch)/client-clock" }

    // MARK: For faults

    var process: ProcessIdentity? { pool.withLock { $0 }?.process }

    func signal(_ number: Int32, isEnd: Bool) -> Bool {
        guard let pool = pool.withLock({ $0 }) else { return false }
        if isEnd { pool.expectEnd(true) }
        return pool.signal(number)
    }

    func expectEnd(_ isExpected: Bool) { pool.withLock { $0 }?.expectEnd(isExpected) }

    func waitUntilEnded(within limit: Duration) async -> Bool {
        await pool.withLock { $0 }?.waitUntilEnded(within: limit) ?? true
    }

    func start() async throws {
        guard let pool = pool.withLock({ $0 }) else { return }
        try await pool.start()
        _ = try await pool.roundTrip(within: .seconds(10))
    }

    func roundTrip(within limit: Duration) async throws -> ClientRoundTrip {
        guard let pool = pool.withLock({ $0 }) else { throw AdapterError.notRunning(operation: "stats") }
        let answer = try await pool.roundTrip(within: limit)
        return ClientRoundTrip(
            took: answer.took, wallClock: answer.stats.wallClock,
            connectFailures: answer.stats.metric("connectFailures"),
            connectionsLost: answer.stats.metric("lostClosed"))
    }

    /// The library reads the file at each look at the clock: it must never be half written.
    func shiftClock(by offset: Duration) throws {
        let seconds = offset.seconds
        let text = (seconds < 0 ? "" : "+") + "\(seconds)\n"
        try SmallFile.write(Array(text.utf8), to: clockPath + ".new")
        guard rename(clockPath + ".new", clockPath) == 0 else { throw SystemError("replace \(clockPath)") }
    }
}
