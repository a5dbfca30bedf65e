import ChaosRigTesting
import ConnectionPool
import EventLoop
import Foundation
import PostgresDriver
import RigModel
import RigTestSupport
import Testing
import Threading

/// The library as the tests of another package use it: scenarios against a pool of their own, in the process of the tests.
@Suite(.timeLimit(.minutes(20)))
struct LibrarySuite {
    private static let phases: ScenarioValue = ["warm-up": "1s", "steady": "2s", "faults": "2s", "settle": "3s"]
    /// A machine that is busy is no finding about a pool.
    private static let pool: ScenarioValue = [
        "max-open": 10, "acquire-timeout": "2m", "connect-timeout": "2m", "statement-timeout": "2m",
    ]
    private static let invariants: ScenarioValue = ["zero-leaked-connections": [:], "retry-correctness": [:]]

    /// In a folder that is removed afterwards.
    private static func inFolder(
        _ body: (RigOptions) async throws -> Void
    ) async throws {
        let out = FileManager.default.temporaryDirectory.appendingPathComponent("library-suite-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: out) }
        var options = RigOptions(seed: 7)
        options.out = out.path
        try await body(options)
    }

    @Test func aSoundPoolOfOnesOwnIsValid() async throws {
        let scenario = try RigScenario(
            name: "own-pool", pool: Self.pool,
            // This pool keeps no connection: it is the holding that gives the fault some to kill, at whatever moment.
            workload: [
                "clients": 8, "mix": ["append": 40, "read": 40, "transfer": 20],
                "behaviour": ["hold": ["share": "100%", "for": "300ms"]],
            ],
            phases: Self.phases, faults: [ScenarioFault("kill-connections", ["select": "all"], at: .milliseconds(500))],
            invariants: Self.invariants)
        try await Self.inFolder { options in
            let report = await scenario.expectValid(options) { try ConnectEachTime($0) }
            #expect(report?.operations.map(\.kind).sorted() == ["append", "read", "transfer"])
            #expect(report?.replay == "CHAOSRIG_SEED=7 swift test --filter 'aSoundPoolOfOnesOwnIsValid'")
            let history = try #require(report?.folder) + "/history.jsonl"
            #expect(FileManager.default.fileExists(atPath: history))
        }
    }

    @Test func aFindingIsAnIssueAtTheLineOfTheTest() async throws {
        let scenario = try RigScenario(
            name: "leaking-pool", pool: Self.pool,
            workload: [
                "clients": 4, "rate": "30/s", "mix": ["append": 50, "read": 50], "behaviour": ["throw": "10%"],
            ],
            phases: ["warm-up": "1s", "steady": "2s", "faults": "0s", "settle": "1s"],
            invariants: ["zero-leaked-connections": [:]])
        try await Self.inFolder { options in
            let line = #line + 2
            await withKnownIssue {
                await scenario.expectValid(options) { try ConnectEachTime($0, forgetsAfterErrors: true) }
            } matching: { issue in
                issue.sourceLocation?.line == line
                    && issue.comments.contains { $0.rawValue.hasPrefix("leaking-pool, zero-leaked-connections: ") }
            }
        }
    }

    @Test func aPoolWhoseSessionsCannotBeFoundIsRefused() async throws {
        let scenario = try RigScenario(
            name: "nameless", pool: Self.pool, workload: ["mix": ["read": 1]], phases: Self.phases,
            invariants: Self.invariants)
        try await Self.inFolder { options in
            let error = await #expect(throws: RigError.self) {
                try await scenario.run(options) { try ConnectEachTime($0, applicationName: "mine") }
            }
            #expect(error?.description.contains("application_name \"mine\"") == true)
            #expect(error?.description.contains("RigPoolSettings.url") == true)
        }
    }

    @Test func aPoolThatCannotConnectIsSaidToBeTheReason() async throws {
        let scenario = try RigScenario(
            name: "unreachable", workload: ["mix": ["read": 1]], phases: Self.phases, invariants: Self.invariants)
        try await Self.inFolder { options in
            let error = await #expect(throws: RigError.self) {
                try await scenario.run(options) { settings in
                    var settings = settings
                    settings.url = "postgresql://127.0.0.1:1/nothing"
                    return try ConnectEachTime(settings)
                }
            }
            #expect(error?.description.hasPrefix("your pool's first use failed, before any fault: ") == true)
        }
    }

    @Test func whatNeedsTheRigsOwnPoolIsRefusedBeforeAnythingStarts() async throws {
        let scenario = try RigScenario(
            yaml: """
                name: refused
                target: {sqlite: temporary}
                pool: {commit-doubt: ask}
                workload: {mix: {append: 1}}
                """)
        try await Self.inFolder { options in
            let error = await #expect(throws: RigError.self) {
                try await scenario.run(options) { try ConnectEachTime($0) }
            }
            #expect(error?.description.contains("target: a PostgreSQL target is needed") == true)
            #expect(error?.description.contains("pool.commit-doubt") == true)
            #expect(!FileManager.default.fileExists(atPath: options.out ?? ""))
        }
    }

    @Test func aCancelledTestLeavesNoServerBehind() async throws {
        let scenario = try RigScenario(
            name: "cancelled", pool: Self.pool, workload: ["clients": 2, "rate": "10/s", "mix": ["read": 1]],
            phases: ["warm-up": "1s", "steady": "1h"], invariants: Self.invariants)
        try await Self.inFolder { options in
            var options = options
            let lines = Watched<[String]>([])
            let url = Watched("")
            options.log = { line in lines.change { $0.append(line) } }
            let run = Task { [options] in
                try await scenario.run(options) { settings in
                    url.change { $0 = settings.url }
                    return try ConnectEachTime(settings)
                }
            }
            try await lines.wait { $0.contains { $0.hasPrefix("phase steady") } }
            run.cancel()
            await #expect(throws: CancellationError.self) { try await run.value }
            let loop = try EventLoop(name: "library-suite")
            defer { loop.shutdown() }
            let driver = PostgresDriver(configuration: try PostgresConfiguration(url: url.value), loop: loop)
            await #expect(throws: DriverError.self) {
                try await driver.connect(deadline: .now.advanced(by: .seconds(10)))
            }
        }
    }
}

/// The least that a pool can be: it opens a connection for each use, and knows nothing of itself.
private final class ConnectEachTime: RigPool {
    struct Session: RigConnection {
        let connection: PostgresDriver.Connection
        let limit: Duration

        func query(_ sql: String, _ parameters: [RigValue]) async throws -> [[RigValue]] {
            let values = parameters.map { value -> SQLValue in
                switch value {
                case .null: .null
                case .bool(let flag): .bool(flag)
                case .int(let number): .int(number)
                case .double(let number): .double(number)
                case .text(let text): .text(text)
                }
            }
            let result = try await connection.execute(
                SQLStatement(sql, values, role: .write), deadline: .now.advanced(by: limit))
            return result.rows.map { row in
                row.map { value in
                    switch value {
                    case .null: .null
                    case .bool(let flag): .bool(flag)
                    case .int(let number): .int(number)
                    case .double(let number): .double(number)
                    case .text(let text): .text(text)
                    }
                }
            }
        }
    }

    private let settings: RigPoolSettings
    private let forgetsAfterErrors: Bool
    private let loop: EventLoop
    private let driver: PostgresDriver
    private let forgotten = Lock<[PostgresDriver.Connection]>([])

    init(_ settings: RigPoolSettings, applicationName: String? = nil, forgetsAfterErrors: Bool = false) throws {
        self.settings = settings
        self.forgetsAfterErrors = forgetsAfterErrors
        var configuration = try PostgresConfiguration(url: settings.url)
        if let applicationName { configuration.applicationName = applicationName }
        loop = try EventLoop(name: "own-pool")
        driver = PostgresDriver(configuration: configuration, loop: loop)
    }

    /// What was forgotten is closed with the test.
    deinit {
        for connection in forgotten.withLock({ $0 }) { connection.abort() }
        loop.shutdown()
    }

    func withConnection(_ use: RigUse<Session>) async throws {
        let connection = try await driver.connect(deadline: .now.advanced(by: settings.connectTimeout))
        do { try await use(Session(connection: connection, limit: settings.statementTimeout)) } catch {
            if forgetsAfterErrors { forgotten.withLock { $0.append(connection) } } else { await close(connection) }
            throw error
        }
        await close(connection)
    }

    private func close(_ connection: PostgresDriver.Connection) async {
        await connection.close(deadline: .now.advanced(by: settings.releaseTimeout))
    }

    func close() async {}

    func failure(of error: any Error) -> RigFailure {
        switch (error as? DriverError)?.cause {
        case .server(let state)?, .sessionEnded(let state)?: .server(sqlState: state)
        case .timedOut?: .timedOut
        case .cancelled?: .cancelled
        case .connectFailed?: .connectFailed
        case .poolRefused?: .refused
        case .connectionLost?, .protocolViolation?, .busy?, .embedded?: .connectionLost
        case nil: error is CancellationError ? .cancelled : .unknown
        }
    }
}
