import ConnectionPool
import RigModel
import RigTestSupport
import Testing
import Threading
import Workloads

@Suite(.timeLimit(.minutes(15)))
struct WorkloadRunnerTests {
    static let everything = OperationMix([(AppendOperation(), 2), (ReadOperation(), 1), (TransferOperation(), 1)])

    /// Each invoke has one completion, and a process that ended with `info` never speaks again.
    func expectWellFormed(_ events: [Event], _ location: SourceLocation = #_sourceLocation) {
        var open: [Int: Event] = [:]
        var retired: Set<Int> = []
        for event in events {
            guard case .worker(let process) = event.process else { continue }
            #expect(!retired.contains(process), "\(process) goes on after an info", sourceLocation: location)
            if event.kind == .invoke {
                #expect(open.updateValue(event, forKey: process) == nil, sourceLocation: location)
                #expect(event.completion == nil, sourceLocation: location)
            } else {
                #expect(open.removeValue(forKey: process)?.function == event.function, sourceLocation: location)
                #expect(event.completion != nil, sourceLocation: location)
                if event.kind == .info { retired.insert(process) }
            }
        }
        #expect(open.isEmpty, "operations without an end: \(open.keys)", sourceLocation: location)
    }

    @Test("Every invoke has one completion, whatever happens to connections, and info retires its process")
    func everyInvokeEnds() async throws {
        let fixture = WorkloadFixture(
            PoolConfiguration(maxOpen: 3), policy: RetryPolicy(firstDelay: .milliseconds(1), delayCap: .milliseconds(2))
        )
        let number = Watched(0)
        fixture.driver.answerStatements { _, statement in
            if ["reset", "check", "close"].contains(statement.text) { return .good }
            switch number.change({
                $0 += 1; return $0
            }) {
            case let count where count % 17 == 0: return .lost
            case let count where count % 11 == 0: return .conflict
            default: return .yields(1)
            }
        }
        let runner = fixture.runner(Self.everything, clients: 12)
        runner.start()
        while fixture.sink.count < 3_000 {
            try Task.checkCancellation()
            fixture.runtime.advance(by: .milliseconds(1))
            await Task.yield()
        }
        let stop = Task { await runner.stop(within: .seconds(900), grace: .seconds(900)) }
        while fixture.runtime.runningCount > 0 {
            try Task.checkCancellation()
            fixture.runtime.advance(by: .milliseconds(1))
            await Task.yield()
        }
        #expect(await stop.value == 0)
        let events = fixture.sink.events
        expectWellFormed(events)
        let completions = events.filter { $0.completion != nil }
        for kind in [Event.Kind.ok, .info] { #expect(completions.contains { $0.kind == kind }) }
        #expect(completions.contains { ($0.completion?.attempts.count ?? 0) > 1 })
        // Appends are told apart by their ids.
        let ids = events.filter { $0.kind == .invoke && $0.function == "append" }.compactMap(\.value.intValue)
        #expect(Set(ids).count == ids.count)
        // Clients have the first numbers; those who go on take the next ones.
        let processes = Set(
            events.compactMap { event -> Int? in if case .worker(let process) = event.process { process } else { nil } }
        )
        #expect(processes == Set(0..<(12 + completions.count { $0.kind == .info })).intersection(processes))
        #expect(processes.isSuperset(of: 0..<12))
        let window = runner.takeWindow()
        #expect(window.ok + window.failed + window.unknown == completions.count)
        #expect(window.latency.count == UInt64(window.ok))
        #expect(runner.takeWindow().ok == 0)
        try await fixture.expectCleanClose()
    }

    @Test("A stop lets current operations end, and returns at once when they have")
    func stopWaits() async throws {
        let fixture = WorkloadFixture()
        fixture.driver.answerStatements { _, statement in statement.role == .write ? .hang : .good }
        let runner = fixture.runner(OperationMix([(AppendOperation(), 1)]), clients: 2)
        runner.start()
        try await fixture.runtime.untilSleeping(2)
        let stop = Task { await runner.stop(within: .seconds(60), grace: .seconds(60)) }
        try await fixture.runtime.untilSleeping(3)
        fixture.runtime.advance(by: fixture.configuration.statementTimeout)
        #expect(await stop.value == 0)
        let events = fixture.sink.events
        expectWellFormed(events)
        #expect(events.count { $0.completion?.error?.failureClass == "timed-out" } == 2)
        try await fixture.expectCleanClose()
    }

    @Test("Clients that are busy at the limit are cancelled, and what they did is unknown")
    func stopCancels() async throws {
        let fixture = WorkloadFixture(PoolConfiguration(maxOpen: 2, statementTimeout: .seconds(900)))
        fixture.driver.answerStatements { _, statement in statement.role == .write ? .hang : .good }
        let runner = fixture.runner(OperationMix([(AppendOperation(), 1)]), clients: 2)
        runner.start()
        try await fixture.runtime.untilSleeping(2)
        let stop = Task { await runner.stop(within: .seconds(5), grace: .seconds(5)) }
        try await fixture.runtime.untilSleeping(3)
        fixture.runtime.advance(by: .seconds(5))
        #expect(await stop.value == 0)
        let ends = fixture.sink.events.filter { $0.completion != nil }
        #expect(ends.map(\.kind) == [.info, .info])
        #expect(ends.allSatisfy { $0.completion?.error?.failureClass == "cancelled" })
        try await fixture.expectCleanClose()
    }

    @Test("A client that reacts to nothing does not hold the stop up beyond its grace")
    func stuckClient() async throws {
        for limit in [Duration.seconds(5), .zero] {
            let fixture = WorkloadFixture()
            let stuck = StuckPool()
            let runner = fixture.runner(OperationMix([(AppendOperation(), 1)]), clients: 3, pool: stuck)
            runner.start()
            try await stuck.users.wait { $0 == 3 }
            let stop = Task { await runner.stop(within: limit, grace: limit) }
            if limit > .zero {
                try await fixture.runtime.untilSleeping(1)
                fixture.runtime.advance(by: limit)
                try await fixture.runtime.untilSleeping(1)
                fixture.runtime.advance(by: limit)
            }
            #expect(await stop.value == 3)
            stuck.isOpen.change { $0 = true }
            try await fixture.runtime.untilWorkEnds()
            #expect(await runner.stop(within: .zero, grace: .zero) == 0)
        }
    }

    @Test("A stop before the start has nothing to wait for")
    func stopWithoutStart() async throws {
        let fixture = WorkloadFixture()
        let runner = fixture.runner(Self.everything, clients: 4)
        #expect(await runner.stop(within: .seconds(60), grace: .seconds(60)) == 0)
        #expect(fixture.sink.events.isEmpty)
        try await fixture.runtime.untilWorkEnds()
    }

    @Test("Clients that the pool refuses at once do not fill the history")
    func refusalsArePaced() async throws {
        let fixture = WorkloadFixture(
            PoolConfiguration(maxOpen: 1, maxWaiters: 1, acquireTimeout: .seconds(900), connectTimeout: .seconds(900)))
        fixture.driver.answerConnects { _ in .hang }
        let runner = fixture.runner(OperationMix([(AppendOperation(), 1)]), clients: 5)
        runner.start()
        // One waits for its connection, four were refused and pause.
        try await fixture.sink.wait { events in events.count { $0.kind == .fail } == 4 }
        try await fixture.runtime.untilSleeping(5)
        #expect(fixture.sink.events.count == 9)
        for round in 2...6 {
            fixture.runtime.advance(by: .milliseconds(10))
            try await fixture.sink.wait { events in events.count { $0.kind == .fail } == 4 * round }
            try await fixture.runtime.untilSleeping(5)
        }
        let stop = Task { await runner.stop(within: .seconds(1), grace: .seconds(1)) }
        try await fixture.runtime.untilSleeping(6)
        fixture.runtime.advance(by: .seconds(1))
        #expect(await stop.value == 0)
        expectWellFormed(fixture.sink.events)
        #expect(await fixture.pool.close() == 0)
    }

    @Test("In the open model latency counts from the schedule, and what could not start is dropped and told")
    func openModel() async throws {
        // No pause after the connection that dies with its first statement: only the schedule moves time here.
        let fixture = WorkloadFixture(
            PoolConfiguration(maxOpen: 1, statementTimeout: .seconds(900), backoffFirst: .zero))
        let isSlow = Watched(true)
        fixture.driver.answerStatements { _, statement in
            statement.role == .write && isSlow.value ? .hang : .good
        }
        let runner = fixture.runner(
            OperationMix([(AppendOperation(), 1)]), clients: 1, model: .open(ratePerSecond: 10, maxLag: .seconds(1)))
        runner.start()
        // The first one hangs for 3 s; meanwhile thirty more come due, and those up to 2 s are too old then.
        // Asleep are its statement and who tells what is dropped.
        try await fixture.runtime.untilSleeping(2)
        fixture.runtime.advance(by: .seconds(3))
        isSlow.change { $0 = false }
        try await fixture.driver.connection(1).kill()
        try await fixture.sink.wait { events in events.count { $0.kind == .ok } >= 11 }
        try await fixture.sink.wait { Self.dropped($0).reduce(0, +) >= 19 }
        let events = fixture.sink.events
        #expect(Self.dropped(events).reduce(0, +) == 19)
        let lags = events.compactMap(\.completion?.lagNanoseconds).map { $0 / 1_000_000 }
        #expect(lags == [0] + stride(from: 1_000, through: 0, by: -100))
        let window = runner.takeWindow()
        #expect(window.ok == 11)
        #expect(window.latency.maxNanoseconds == 1_000_000_000)
        try await fixture.runtime.untilSleeping(2)
        let stop = Task { await runner.stop(within: .seconds(1), grace: .seconds(1)) }
        try await fixture.runtime.untilSleeping(3)
        fixture.runtime.advance(by: .milliseconds(50))
        #expect(await stop.value == 0)
        try await fixture.expectCleanClose()
    }

    @Test("Operations that were due when the workload stopped and had no client are told as dropped")
    func droppedAtTheEnd() async throws {
        let fixture = WorkloadFixture(PoolConfiguration(maxOpen: 1, statementTimeout: .seconds(900)))
        fixture.driver.answerStatements { _, statement in statement.role == .write ? .hang : .good }
        let runner = fixture.runner(
            OperationMix([(AppendOperation(), 1)]), clients: 1, model: .open(ratePerSecond: 10, maxLag: .seconds(1)))
        runner.start()
        try await fixture.runtime.untilSleeping(2)
        fixture.runtime.advance(by: .milliseconds(2_050))
        let stop = Task { await runner.stop(within: .seconds(1), grace: .seconds(1)) }
        try await fixture.runtime.untilSleeping(2)
        fixture.runtime.advance(by: .seconds(1))
        #expect(await stop.value == 0)
        #expect(Self.dropped(fixture.sink.events).reduce(0, +) == 20)
        try await fixture.expectCleanClose()
    }

    @Test("What is dropped while every client hangs is told meanwhile, and not when one comes back")
    func droppedIsToldInTime() async throws {
        let fixture = WorkloadFixture(PoolConfiguration(maxOpen: 1, statementTimeout: .seconds(900)))
        fixture.driver.answerStatements { _, statement in statement.role == .write ? .hang : .good }
        let runner = fixture.runner(
            OperationMix([(AppendOperation(), 1)]), clients: 1, model: .open(ratePerSecond: 10, maxLag: .seconds(1)))
        runner.start()
        for tenth in 1...20 {
            // The client in its statement, and who tells.
            try await fixture.runtime.untilSleeping(2)
            fixture.runtime.advance(by: .milliseconds(100))
            let due = max(0, tenth - 11)
            try await fixture.sink.wait { Self.dropped($0).reduce(0, +) >= due - 3 }
        }
        // At most one in 200 ms.
        #expect(Self.dropped(fixture.sink.events).count <= 5)
        let stop = Task { await runner.stop(within: .zero, grace: .seconds(86_400)) }
        while fixture.runtime.runningCount > 0 {
            try Task.checkCancellation()
            fixture.runtime.advance(by: .milliseconds(50))
            await Task.yield()
        }
        #expect(await stop.value == 0)
        try await fixture.expectCleanClose()
    }

    private static func dropped(_ events: [Event]) -> [Int64] {
        events.filter { $0.function == "dropped" }.compactMap { $0.value["operations"]?.intValue }
    }
}

/// A pool that answers nobody, cancelled or not, until it is opened.
private final class StuckPool: PoolUnderTest {
    let users = Watched(0)
    let isOpen = Watched(false)

    func use(_ request: UseRequest) async -> UseReport {
        users.change { $0 += 1 }
        // A task of its own does not inherit the cancellation.
        await Task { try? await isOpen.wait { $0 } }.value
        return UseReport(outcome: .ok, completion: Completion())
    }

    var gauges: PoolGauges { PoolGauges() }
    func metrics() -> [JSONValue.Member] { [] }
    func openLeases() -> JSONValue { [] }
    func close() async -> Int { 0 }
}
