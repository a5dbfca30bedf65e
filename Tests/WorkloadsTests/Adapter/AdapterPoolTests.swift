import ConnectionPool
import EventLoop
import Foundation
import HostSystem
import RigModel
import RigTestSupport
import Testing
import Threading

@testable import Workloads

/// The rig's side of the adapter protocol against real processes, good ones and bad ones. Nothing may hang, and what a process
/// that died may have done is unknown.
@Suite(.timeLimit(.minutes(10)))
struct AdapterPoolTests {
    let folder: TemporaryFolder
    let sink = RecordingSink(runtime: ManualRuntime())
    let journal: Journal
    let loop: EventLoop

    init() throws {
        folder = try TemporaryFolder()
        journal = try Journal.create(at: folder.file("journal.jsonl"))
        loop = try EventLoop(name: "test")
    }

    private static let hello =
        #"{"hello":{"protocol":1,"pool":"shell","version":"1","capabilities":["stats","transaction"]}}"#

    private static let okOfUse = #"echo "{\"id\":$id,\"status\":\"ok\",\"rows\":[[]]}""#
    private static let stats =
        #"echo "{\"id\":$id,\"status\":\"ok\",\"stats\":{\"open\":3,\"in_use\":1,\"idle\":2}}""#

    /// A shell that runs one of these commands for each line; `$id` is the number in the line.
    private static func adapter(
        _ onUse: String, onCancel: String = ":", otherwise: String = stats, hello: String = hello
    ) -> String {
        """
        echo '\(hello)'
        while read -r line; do
          id=${line#*'"id":'}; id=${id%%,*}; id=${id%\\}}
          case $line in
            *'"op":"use"'*) \(onUse) ;;
            *'"op":"cancel"'*) \(onCancel) ;;
            *'"op":"exit"'*) exit 0 ;;
            *) \(otherwise) ;;
          esac
        done
        """
    }

    private func pool(
        _ script: String, helloLimit: Duration = .seconds(60), answerLimit: Duration = .seconds(60)
    ) -> AdapterPool {
        var options = AdapterPool.Options(
            command: ["/bin/sh", "-c", script], name: nil, environment: ["PATH": "/usr/bin:/bin"],
            logPath: folder.file("pool.log"), acquireTimeout: .seconds(1), answerLimit: answerLimit,
            closeTimeout: .seconds(1), policy: RetryPolicy(), seed: 1)
        options.helloLimit = helloLimit
        return AdapterPool(options, runtime: LoopRuntime(loop: loop), sink: sink, journal: journal)
    }

    private func write(_ pool: AdapterPool, readOnly: Bool = false, transaction: Bool = false) async -> UseReport {
        await pool.use(
            UseRequest(isTransaction: transaction, isReadOnly: readOnly, site: .here()) { _ in
                [SQLStatement("insert", role: .write)]
            })
    }

    private func refusal(of pool: AdapterPool) async -> AdapterError? {
        do throws(AdapterError) {
            try await pool.start()
            return nil
        } catch {
            return error
        }
    }

    /// The process is gone, and its entry in the journal is closed.
    private func expectGone(_ pool: AdapterPool) async {
        #expect(await pool.shutDown() == [])
        #expect(pool.process == nil)
        #expect(journal.openEntries.isEmpty)
        loop.shutdown()
    }

    @Test("A use is answered with its rows, its connection and its times")
    func useIsAnswered() async throws {
        let pool = pool(
            Self.adapter(#"echo "{\"id\":$id,\"status\":\"ok\",\"rows\":[[[7,\"x\"]]],\"acquire_us\":5,\"pid\":99}""#))
        try await pool.start()
        #expect(pool.hello?.pool == "shell")
        let report = await write(pool)
        #expect(report.outcome == .ok)
        #expect(report.results == [SQLResult(rows: [[.int(7), .text("x")]])])
        #expect(report.completion.backendPID == 99 && report.completion.acquireNanoseconds == 5_000)
        #expect(report.completion.connection == 1)
        #expect(try await pool.roundTrip(within: .seconds(60)).stats.gauges.idle == 2)
        await expectGone(pool)
    }

    /// A use whose client is cancelled at once.
    private func cancelled(_ pool: AdapterPool) async -> UseReport {
        var request = UseRequest(site: .here()) { _ in [SQLStatement("insert", role: .write)] }
        var behaviour = UseBehaviour()
        behaviour.cancel = UseBehaviour.Cancel(at: .query, delay: .zero)
        request.behaviour = behaviour
        return await CancellableUse(pool: pool, runtime: LoopRuntime(loop: loop)).use(request)
    }

    @Test("Where nobody can be cancelled nobody is said to have been, and the run has a problem")
    func noCancel() async throws {
        let pool = pool(Self.adapter(Self.okOfUse))
        try await pool.start()
        #expect(pool.problems == [])
        let report = await cancelled(pool)
        #expect(report.outcome == .ok && report.completion.notes == nil)
        #expect(
            pool.problems == [
                "no client was cancelled: this adapter has neither the capability cancel nor cancel-query"
            ])
        await expectGone(pool)
    }

    @Test("Where only a query can be cancelled the request is sent, and a result is no swallowed cancel")
    func cancelOfQuery() async throws {
        // A use is answered when the cancel comes.
        let pool = pool(
            Self.adapter(
                "use=$id", onCancel: "id=$use; \(Self.okOfUse)",
                hello: Self.hello.replacing("transaction", with: "cancel-query")))
        try await pool.start()
        let report = await cancelled(pool)
        #expect(report.outcome == .ok)
        #expect(report.completion.notes?["query-cancel"]?["at"] == "use")
        #expect(report.completion.notes?["cancel"] == nil)
        #expect(pool.problems == [])
        await expectGone(pool)
    }

    @Test("A process that dies in the middle of a use leaves a write unknown, and a read failed")
    func deathLeavesDoubt() async throws {
        for (readOnly, transaction, outcome) in [
            (false, false, Outcome.info), (true, false, .fail), (false, true, .info),
        ] {
            let pool = pool(Self.adapter("kill -9 $$"))
            try await pool.start()
            let report = await write(pool, readOnly: readOnly, transaction: transaction)
            #expect(report.outcome == outcome)
            #expect(report.completion.error?.message.contains("process") == true)
            // Nothing reached the next one: there is nobody.
            let next = await write(pool)
            #expect(next.outcome == .fail)
            #expect(next.completion.error?.failureClass == "pool-refused")
            #expect(pool.problems.contains { $0.contains("signal 9") })
            _ = await pool.shutDown()
        }
        loop.shutdown()
    }

    @Test("A process that was killed on purpose is started again, and is no problem")
    func processIsStartedAgain() async throws {
        let pool = pool(Self.adapter(#"echo "{\"id\":$id,\"status\":\"ok\",\"rows\":[[]],\"pid\":5}""#))
        try await pool.start()
        let first = try #require(pool.process)
        #expect(await write(pool).completion.connection == 1)
        pool.expectEnd(true)
        pool.signal(SIGKILL)
        #expect(await pool.waitUntilEnded(within: .seconds(60)))
        #expect(!first.isAlive && pool.process == nil)
        try await pool.start()
        #expect(pool.process != nil && pool.process != first)
        #expect(pool.problems == [])
        #expect(await write(pool).completion.connection == 2)
        await expectGone(pool)
    }

    @Test("What the adapter cannot do is not asked of it")
    func lackingCapabilityIsNotAsked() async throws {
        let pool = pool(Self.adapter(#"echo "{\"id\":$id,\"status\":\"ok\",\"rows\":[]}""#))
        try await pool.start()
        let report = await pool.use(UseRequest(leaks: true, site: .here()) { _ in [] })
        #expect(report.outcome == .fail)
        #expect(report.completion.error?.message.contains("leak") == true)
        await expectGone(pool)
    }

    @Test(
        "Of one that cannot tell of its state nothing is told, and nothing is asked; a question is answered all the same"
    )
    func poolWithoutStats() async throws {
        let asked = folder.file("asked")
        let pool = pool(
            Self.adapter(
                Self.okOfUse,
                otherwise: #"echo "$line" >>\#(asked); echo "{\"id\":$id,\"status\":\"error\"}""#,
                hello: Self.hello.replacing(#""stats","#, with: "")))
        try await pool.start()
        #expect(await write(pool).outcome == .ok)
        await pool.refreshBooks()
        #expect(!pool.tellsGauges && !pool.tellsConnecting)
        #expect(SmallFile.text(asked) == nil)
        #expect(try await pool.roundTrip(within: .seconds(60)).took > .zero)
        #expect(SmallFile.text(asked)?.contains("stats") == true)
        await expectGone(pool)
    }

    @Test("One that tells of its state need not tell of connections that are being opened", arguments: [false, true])
    func connectingIsOptional(_ tells: Bool) async throws {
        var script = Self.adapter(":")
        if tells { script = script.replacing(#"\"open\":3"#, with: #"\"open\":3,\"connecting\":0"#) }
        let pool = pool(script)
        try await pool.start()
        await pool.refreshBooks()
        #expect(pool.tellsGauges && pool.gauges.open == 3)
        #expect(pool.tellsConnecting == tells)
        // Its process is gone; what it can tell is known.
        pool.expectEnd(true)
        pool.signal(SIGKILL)
        #expect(await pool.waitUntilEnded(within: .seconds(60)))
        #expect(pool.tellsGauges && pool.tellsConnecting == tells)
        await expectGone(pool)
    }

    @Test("A use without an answer ends at its limit, as unknown")
    func silenceEnds() async throws {
        let pool = pool(Self.adapter(":"), answerLimit: .milliseconds(200))
        try await pool.start()
        let report = await write(pool)
        #expect(report.outcome == .info)
        #expect(report.completion.error?.failureClass == "timed-out")
        await expectGone(pool)
    }

    struct Bad: CustomTestStringConvertible {
        let testDescription: String
        let script: String
        let says: String
        var helloLimit = Duration.seconds(60)
    }

    static let bad = [
        Bad(
            testDescription: "ends at once", script: "echo no library >&2; exit 3",
            says: "exit status 3; its log ends: no library"),
        Bad(
            testDescription: "says no hello", script: "exec sleep 600", says: "said no hello",
            helloLimit: .milliseconds(200)),
        Bad(testDescription: "says something else", script: "echo Hello; exec sleep 600", says: "Hello"),
        Bad(
            testDescription: "speaks another protocol", script: #"echo '{"hello":{"protocol":2}}'; exec sleep 600"#,
            says: "protocol 1 was expected, not 2"),
        Bad(
            testDescription: "writes a line of 100 MB", script: "head -c 100000000 /dev/zero; exec sleep 600",
            says: "a line of more than 16 MB"),
        Bad(
            testDescription: "closes its output", script: "exec >&-; exec sleep 600", says: "closed its standard output"
        ),
    ]

    @Test("A bad process is refused with what it did, and is ended", arguments: bad)
    func badProcessIsRefused(_ row: Bad) async throws {
        let pool = pool(row.script, helloLimit: row.helloLimit)
        let error = try #require(await refusal(of: pool))
        #expect(error.description.contains(row.says), "\(error)")
        await expectGone(pool)
    }

    @Test("A program that is not there is refused")
    func missingProgramIsRefused() async throws {
        let options = AdapterPool.Options(
            command: ["/nowhere/pool"], name: nil, environment: [:], logPath: folder.file("pool.log"),
            acquireTimeout: .seconds(1), answerLimit: .seconds(1), closeTimeout: .seconds(1), policy: RetryPolicy(),
            seed: 1)
        let pool = AdapterPool(options, runtime: LoopRuntime(loop: loop), sink: sink, journal: journal)
        let error = try #require(await refusal(of: pool))
        #expect(error.description.contains("/nowhere/pool"), "\(error)")
        await expectGone(pool)
    }

    @Test("A process that begins to write nonsense later is ended, and what it was doing is unknown")
    func nonsenseLaterEnds() async throws {
        let pool = pool(Self.adapter("echo nonsense; sleep 600"))
        try await pool.start()
        let report = await write(pool)
        #expect(report.outcome == .info)
        #expect(report.completion.error?.message.contains("nonsense") == true)
        await expectGone(pool)
    }

    @Test("A process that ignores the polite end is killed")
    func stubbornProcessIsKilled() async throws {
        let pool = pool("trap '' TERM; echo '\(Self.hello)'; while :; do sleep 600; done")
        try await pool.start()
        await expectGone(pool)
    }
}
