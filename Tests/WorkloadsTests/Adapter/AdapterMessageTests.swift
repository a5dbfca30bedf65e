import ConnectionPool
import RigModel
import RigTestSupport
import Testing
import Threading

@testable import Workloads

/// What goes over the wire comes out as it went in, and means what the outcome table says.
@Suite struct AdapterMessageTests {
    private func request(transaction: Bool = false, readOnly: Bool = false) -> UseRequest {
        UseRequest(isTransaction: transaction, isReadOnly: readOnly, site: .here()) { _ in [] }
    }

    /// As another process would read it.
    private func sent(_ line: JSONValue) throws -> JSONValue { try JSONValue(parsing: line.compactText) }

    @Test("A use comes out as it went in")
    func useRoundTrip() throws {
        let steps = [
            SQLStatement(
                "insert into t values ($1, $2, $3, $4, $5)", [.int(7), .text("ä\n"), .null, .bool(true), .double(0.5)],
                role: .write),
            SQLStatement("select 1", role: .read),
        ]
        let use = AdapterUse(
            steps: steps, isTransaction: true, isReadOnly: false, leaks: false, wantsRows: false,
            timeout: .seconds(2), deadline: .seconds(5))
        let line = try sent(use.line(id: 9))
        #expect(line["id"] == 9 && line["op"] == "use" && line["tx"] == true && line["timeout_ms"] == 2000)
        let back = try #require(AdapterUse(line))
        #expect(back.steps == steps && back.isTransaction && !back.isReadOnly && !back.leaks && !back.wantsRows)
        #expect(back.timeout == .seconds(2) && back.deadline == .seconds(5) && back.hold == .zero)
    }

    @Test("A parameter that is a list is refused") func listIsRefused() throws {
        #expect(AdapterUse(try JSONValue(parsing: #"{"steps":[{"sql":"x","params":[[1]]}]}"#)) == nil)
    }

    @Test("An answer of our own pool comes out as it went in")
    func answerRoundTrip() throws {
        var answer = AdapterAnswer()
        answer.results = [SQLResult(rows: [[.int(1), .text("x"), .null]]), SQLResult()]
        answer.acquire = .microseconds(410)
        answer.query = .milliseconds(2)
        answer.release = .microseconds(3)
        answer.total = .milliseconds(3)
        answer.connection = 4
        answer.backendPID = 8123
        #expect(AdapterAnswer(try sent(answer.line(id: 1))) == answer)
        answer.results = []
        answer.failure = AdapterAnswer.Failure(
            phase: .query, failureClass: "server-error", sqlState: "40001", message: "could not", outcome: .fail)
        #expect(AdapterAnswer(try sent(answer.line(id: 1))) == answer)
    }

    @Test("A COMMIT in doubt that the server says was done is ok, with its rows", arguments: CommitDoubt.End.allCases)
    func doubtIsResolved(_ end: CommitDoubt.End) throws {
        var answer = AdapterAnswer()
        answer.results = [SQLResult(rows: [[.int(1)]])]
        let outcome: Outcome =
            switch end {
            case .committed: .ok
            case .aborted: .fail
            case .unknown: .info
            }
        answer.failure = AdapterAnswer.Failure(
            phase: .commit, failureClass: "connection-lost", sqlState: nil, message: "lost", outcome: outcome)
        answer.doubt = CommitDoubt(transactionID: "77", end: end, askedNanoseconds: 5)
        let result = try #require(AdapterAnswer(try sent(answer.line(id: 1)))).result(request(transaction: true))
        #expect(result.failure?.outcome == outcome)
        #expect(result.doubt?.end == end)
        #expect(result.results == answer.results)
    }

    struct Foreign: CustomTestStringConvertible {
        let testDescription: String
        let line: String
        var transaction = false
        var readOnly = false
        let outcome: Outcome
        let cause: FailureCause
    }

    static let foreign = [
        Foreign(
            testDescription: "no connection in time",
            line: #"{"status":"error","phase":"acquire","class":"PoolTimeout"}"#,
            outcome: .fail, cause: .timedOut),
        Foreign(
            testDescription: "no connection at all",
            line: #"{"status":"error","phase":"acquire","class":"OperationalError"}"#,
            outcome: .fail, cause: .connectFailed(sqlState: nil)),
        Foreign(
            testDescription: "a write refused",
            line: #"{"status":"error","phase":"query","class":"UniqueViolation","sqlstate":"23505"}"#, outcome: .fail,
            cause: .server(sqlState: "23505")),
        Foreign(
            testDescription: "a session ended under a write",
            line: #"{"status":"error","phase":"query","class":"AdminShutdown","sqlstate":"57P01"}"#, outcome: .info,
            cause: .sessionEnded(sqlState: "57P01")),
        Foreign(
            testDescription: "an error of an unknown sort under a write",
            line: #"{"status":"error","phase":"query","class":"InterfaceError"}"#, outcome: .info,
            cause: .connectionLost),
        Foreign(
            testDescription: "the same in a transaction",
            line: #"{"status":"error","phase":"query","class":"InterfaceError"}"#,
            transaction: true, outcome: .fail, cause: .connectionLost),
        Foreign(
            testDescription: "the same at its commit",
            line: #"{"status":"error","phase":"commit","class":"InterfaceError"}"#,
            transaction: true, outcome: .info, cause: .connectionLost),
        Foreign(
            testDescription: "the same in a read",
            line: #"{"status":"error","phase":"query","class":"InterfaceError"}"#,
            readOnly: true, outcome: .fail, cause: .connectionLost),
        Foreign(
            testDescription: "a cancelled write", line: #"{"status":"cancelled","phase":"query"}"#, outcome: .info,
            cause: .cancelled),
    ]

    @Test("An answer of another pool means what it says, and no more", arguments: foreign)
    func foreignAnswers(_ row: Foreign) throws {
        let answer = try #require(AdapterAnswer(try JSONValue(parsing: row.line)))
        let result = answer.result(request(transaction: row.transaction, readOnly: row.readOnly))
        #expect(result.failure?.outcome == row.outcome)
        #expect(result.failure?.cause == row.cause)
    }

    @Test("The settings come out as they went in")
    func settingsRoundTrip() throws {
        var pool = PoolConfiguration(
            maxOpen: 7, minIdle: 2, maxIdle: 5, maxWaiters: 9, maxLifetime: .seconds(60), maxLifetimeJitter: 0.25,
            maxIdleTime: .milliseconds(1500), acquireTimeout: .milliseconds(700), connectTimeout: .seconds(3),
            statementTimeout: .seconds(4), checkTimeout: .milliseconds(5), releaseTimeout: .milliseconds(6),
            reset: .full,
            closeTimeout: .seconds(8), checkAfterIdle: .zero, idleOrder: .roundRobin, healthCheckInterval: .seconds(9),
            leakThreshold: .seconds(11), maxConnecting: 3, breakerAfter: .seconds(12), backoffFirst: .milliseconds(13),
            backoffCap: .milliseconds(14))
        var settings = AdapterSettings(configuration: pool, askAboutCommits: .seconds(7), seed: .max)
        #expect(AdapterSettings(try sent(settings.json)) == settings)
        (pool.maxIdle, pool.maxWaiters, pool.maxLifetime, pool.maxIdleTime) = (nil, nil, nil, nil)
        (pool.leakThreshold, pool.breakerAfter) = (nil, nil)
        settings = AdapterSettings(configuration: pool, askAboutCommits: nil, seed: 0)
        #expect(AdapterSettings(try sent(settings.json)) == settings)
    }

    @Test("Numbers of connections are used once, over all lives of the process")
    func numbersAreUsedOnce() {
        var numbers = AdapterNumbers()
        #expect(numbers.renumber("connection-opened", ["conn": 1, "pid": 11]) == ["conn": 1, "pid": 11])
        #expect(numbers.renumber("connection-opened", ["conn": 2, "pid": 12]) == ["conn": 2, "pid": 12])
        #expect(numbers.renumber("connection-closed", ["conn": 1, "pid": 11]) == ["conn": 1, "pid": 11])
        #expect(numbers.endLife() == [["conn": 2, "pid": 12, "reason": "process-ended"]])
        #expect(numbers.renumber("connection-opened", ["conn": 1, "pid": 13]) == ["conn": 3, "pid": 13])
        #expect(numbers.number(1) == 3)
        #expect(numbers.endLife().count == 1)
        #expect(numbers.number(ofPID: 20) == (4, true))
        #expect(numbers.number(ofPID: 20) == (4, false))
        #expect(numbers.number(ofPID: 21) == (5, true))
    }
}
