package import ConnectionPool
import Glibc
package import HostSystem
package import RigModel
import Threading

/// A pool in a process of its own, driven by the adapter protocol (docs/adapter.md). Thread-safe.
///
/// Retries are the caller's: each attempt is one `use`. What a process that died may have done is `info`; what never reached
/// it is `fail`. Every wait for it has a bound.
package final class AdapterPool: PoolUnderTest {
    private static let statsEvery = Duration.milliseconds(50)
    private static let statsLimit = Duration.seconds(10)
    /// From `exit` to SIGKILL.
    private static let exitLimit = Duration.seconds(2)
    private static let killLimit = Duration.seconds(10)

    struct State {
        var life: AdapterProcess?
        var hello: AdapterHello?
        var desk = AdapterDesk()
        var numbers = AdapterNumbers()
        var stats = AdapterStats()
        var journalEntry: Int?
        var retries = 0
        /// Ends of the process that nobody has asked for.
        var problems: [String] = []
        /// Cancels were asked for, which this adapter cannot do.
        var lacksCancel = false
        /// Somebody is about to end the process.
        var isEndExpected = false
        var isShutDown = false
        var statsTask: Task<Void, Never>?
        /// The last hello said so: it holds while there is no process, too.
        var tellsGauges = false
        /// The last stats said so.
        var tellsConnecting = false
    }

    let options: Options
    let runtime: any PoolRuntime
    let sink: any EventSink
    private let journal: any UndoJournal
    let retrying: RetryingUse
    let state = Lock(State())

    /// Starts nothing: see ``start()``.
    ///
    /// - Parameter sink: is told what the pool tells of itself, and when its process stood still or ended.
    package init(_ options: Options, runtime: any PoolRuntime, sink: any EventSink, journal: any UndoJournal) {
        self.options = options
        self.runtime = runtime
        self.sink = sink
        self.journal = journal
        retrying = RetryingUse(policy: options.policy, seed: options.seed)
    }

    // MARK: The process

    /// The process that holds the pool; `nil` when there is none.
    package var process: ProcessIdentity? {
        state.withLock { $0.life?.identity }.flatMap { $0.isAlive ? $0 : nil }
    }

    package var hello: AdapterHello? { state.withLock { $0.hello } }

    /// What went wrong with the process itself, in words.
    package var problems: [String] {
        state.withLock { state in
            state.problems
                + (state.lacksCancel
                    ? ["no client was cancelled: this adapter has neither the capability cancel nor cancel-query"] : [])
                + (state.hello == nil && !state.isShutDown ? ["the pool's process does not run"] : [])
        }
    }

    /// Starts the process, also again after its end, and returns when it has said hello.
    package func start() async throws(AdapterError) {
        if let life = state.withLock({ $0.life }) {
            guard await life.waitUntilEnded(within: .zero) else { return }
            await forget(life)
        }
        state.withLock { $0.desk.beginLife() }
        let command = AdapterProcess.Command(
            path: options.command[0], arguments: Array(options.command.dropFirst()), name: options.name,
            environment: options.environment, logPath: options.logPath)
        let startedAt = runtime.now
        let life = try await AdapterProcess.start(command) { [weak self] news in self?.note(news) }.get()
        do {
            let entry = try journal.willChange(
                .endProcess(pid: life.identity.pid, startTicks: life.identity.startTicks))
            state.withLock { $0.journalEntry = entry }
        } catch {
            life.kill(because: "it could not be written into the journal")
            _ = await life.waitUntilEnded(within: Self.killLimit)
            throw .notStarted(command: command.words, problem: "\(error)")
        }
        let hello = await withCheckedContinuation { continuation in
            let answer: AdapterDesk.Answer? = state.withLock { state in
                state.isEndExpected = false
                // It may have ended, or said hello, before anybody asked.
                if let early = state.desk.expectHello(
                    continuation, until: startedAt.advanced(by: options.helloLimit))
                {
                    return early
                }
                state.life = life
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
        do throws(AdapterError) {
            let line = try understand(hello, command: command, waited: startedAt.duration(to: runtime.now))
            state.withLock { state in
                state.hello = line
                state.life = life
                state.tellsGauges = line.capabilities.contains(.stats)
            }
        } catch {
            state.withLock { $0.isEndExpected = true }
            life.kill(because: "\(error)")
            _ = await life.waitUntilEnded(within: Self.killLimit)
            await forget(life)
            throw error
        }
        if tellsGauges { startStats() }
    }

    private func understand(
        _ answer: AdapterDesk.Answer, command: AdapterProcess.Command, waited: Duration
    ) throws(AdapterError) -> AdapterHello {
        switch answer {
        case .line(let line):
            switch AdapterHello.read(line) {
            case .success(let hello): return hello
            case .failure(let problem): throw .wrongHello(command: command.words, problem: problem.description)
            }
        case .ended(let reason): throw .ended(command: command.words, reason: reason, log: logTail)
        case .silent, .notSent: throw .noHello(command: command.words, waited: waited, log: logTail)
        }
    }

    /// The end of its log, on one line.
    private var logTail: String {
        let text = SmallFile.text(options.logPath) ?? ""
        return text.suffix(500).split(separator: "\n").suffix(3).joined(separator: " | ")
    }

    /// Whether somebody will end the process, which is then no problem of the pool's.
    package func expectEnd(_ isExpected: Bool) { state.withLock { $0.isEndExpected = isExpected } }

    @discardableResult
    package func signal(_ number: Int32) -> Bool { state.withLock { $0.life }?.signal(number) ?? false }

    /// Waits until the process is gone, and forgets it.
    ///
    /// - Returns: `false` when it is still there.
    package func waitUntilEnded(within limit: Duration) async -> Bool {
        guard let life = state.withLock({ $0.life }) else { return true }
        guard await life.waitUntilEnded(within: limit) else { return false }
        await forget(life)
        return true
    }

    /// After its end.
    private func forget(_ life: AdapterProcess) async {
        // With the thread all its news are there.
        await life.join()
        let entry = state.withLock { state in
            if state.life === life { state.life = nil }
            defer { state.journalEntry = nil }
            return state.journalEntry
        }
        if let entry { try? journal.didUndo(entry) }
    }

    /// Ends the process: politely, then by force.
    ///
    /// - Returns: what could not be ended, in words.
    package func shutDown() async -> [String] {
        let (life, task) = state.withLock { state in
            state.isEndExpected = true
            state.isShutDown = true
            return (state.life, state.statsTask)
        }
        task?.cancel()
        await task?.value
        guard let life else { return [] }
        _ = life.send(["op": "exit"])
        if await !life.waitUntilEnded(within: Self.exitLimit) {
            life.kill(because: "it did not exit when it was asked to")
            guard await life.waitUntilEnded(within: Self.killLimit) else {
                return ["the pool's process \(life.identity.pid) does not end; kill -KILL \(life.identity.pid)"]
            }
        }
        await forget(life)
        return []
    }

    private func note(_ news: AdapterProcess.News) {
        switch news {
        case .tick:
            let now = runtime.now
            for (waiter, answer) in state.withLock({ $0.desk.expire(now) }) { waiter.resume(returning: answer) }
        case .line(let line):
            if let event = line["event"]?.stringValue {
                record(event, line)
            } else if let (waiter, answer) = state.withLock({ $0.desk.take(line) }) {
                waiter.resume(returning: answer)
            }
        case .ended(let reason): noteEnd(reason)
        }
    }

    private func record(_ event: String, _ line: JSONValue) {
        let value = line["value"] ?? .null
        if event == "stall" {
            sink.record(.info, .probe, "stall", value)
        } else {
            let numbered = state.withLock { $0.numbers.renumber(event, value) }
            sink.record(.info, .pool, event, numbered)
        }
    }

    private func noteEnd(_ reason: String) {
        let (waiters, connections, pid) = state.withLock { state in
            if !state.isEndExpected { state.problems.append("the pool's process ended by itself: \(reason)") }
            state.stats = AdapterStats()
            state.hello = nil
            return (state.desk.end(reason), state.numbers.endLife(), state.life?.identity.pid)
        }
        for value in connections { sink.record(.info, .pool, "connection-closed", value) }
        sink.record(
            .info, .pool, "process-ended", ["pid": JSONValue(pid.map { Int($0) }), "reason": .string(reason)])
        for (waiter, answer) in waiters { waiter.resume(returning: answer) }
    }

    // MARK: Requests

    /// Sends a request and waits for its answer.
    ///
    /// - Parameter line: with the number that the request gets.
    func ask(
        within limit: Duration, _ line: (_ id: Int) -> JSONValue
    ) async -> AdapterDesk.Answer {
        let deadline = runtime.now.advanced(by: limit)
        let id = state.withLock { $0.desk.newID() }
        let request = line(id)
        let cancel: @Sendable () -> Void = { [self] in
            let (life, cancel) = state.withLock { state in
                (state.hello?.canCancel == true ? state.life : nil, state.desk.newID())
            }
            // Its own answer is of no interest; that of the request it is about comes in any case.
            _ = life?.send(["id": JSONValue(cancel), "op": "cancel", "target": JSONValue(id)])
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // Known before it is sent: the answer may be faster than this thread.
                let life = state.withLock { state -> AdapterProcess? in
                    guard state.hello != nil, let life = state.life else { return nil }
                    state.desk.expect(continuation, id: id, until: deadline)
                    return life
                }
                guard let life else { return continuation.resume(returning: .notSent) }
                if !life.send(request) {
                    if let waiter = state.withLock({ $0.desk.withdraw(id) }) { waiter.resume(returning: .notSent) }
                } else if Task.isCancelled {
                    // That came before there was anything to cancel: whoever was told so knew nothing of this request.
                    cancel()
                }
            }
        } onCancel: {
            cancel()
        }
    }

    /// A request that is no use, and its answer.
    private func call(
        _ operation: String, within limit: Duration, _ members: [JSONValue.Member] = []
    ) async throws(AdapterError) -> JSONValue {
        let answer = await ask(within: limit) { id in
            .object([.init("id", JSONValue(id)), .init("op", .string(operation))] + members)
        }
        switch answer {
        case .line(let line):
            guard line["status"]?.stringValue == "ok" else {
                throw .refused(operation: operation, message: line["message"]?.stringValue ?? line.compactText)
            }
            return line
        case .ended(let reason):
            throw .ended(command: options.command.joined(separator: " "), reason: reason, log: logTail)
        case .silent: throw .silent(operation: operation, waited: limit)
        case .notSent: throw .notRunning(operation: operation)
        }
    }

    /// A question about the pool, and how long its answer took. One without the capability `stats` refuses to tell, which
    /// is an answer, too.
    package func roundTrip(within limit: Duration) async throws(AdapterError) -> (took: Duration, stats: AdapterStats) {
        let startedAt = runtime.now
        var stats = AdapterStats()
        do throws(AdapterError) {
            stats = AdapterStats(try await call("stats", within: limit))
        } catch {
            guard case .refused = error, !tellsGauges else { throw error }
        }
        return (startedAt.duration(to: runtime.now), stats)
    }

    private func startStats() {
        let isNeeded = state.withLock { state in state.statsTask == nil && !state.isShutDown }
        guard isNeeded else { return }
        let task = runtime.run(near: -1) { [weak self] in
            while !Task.isCancelled {
                guard let self else { return }
                await self.refresh()
                guard (try? await self.runtime.sleep(until: self.runtime.now.advanced(by: Self.statsEvery))) != nil
                else { return }
            }
        }
        state.withLock { $0.statsTask = task }
    }

    private func refresh() async {
        guard tellsGauges, let answer = try? await call("stats", within: Self.statsLimit) else { return }
        let stats = AdapterStats(answer)
        state.withLock { state in
            guard state.life != nil else { return }
            state.stats = stats
            state.tellsConnecting = stats.tellsConnecting
        }
    }

    // MARK: The pool under test

    package var gauges: PoolGauges { state.withLock { $0.stats.gauges } }

    package var tellsGauges: Bool { state.withLock { $0.tellsGauges } }

    package var tellsConnecting: Bool { state.withLock { $0.tellsConnecting } }

    package func metrics() -> [JSONValue.Member] {
        state.withLock { state in
            state.stats.metrics.map { member in
                // The pool does not know of them: they are made here.
                member.key == "retries" ? .init("retries", JSONValue(state.retries)) : member
            }
        }
    }

    package func openLeases() -> JSONValue {
        let leases = state.withLock { $0.stats.leases }
        return .array(
            (leases.arrayValue ?? []).map { lease in state.withLock { $0.numbers.renumber("lease", lease) } })
    }

    package func refreshBooks() async { await refresh() }

    package func close() async -> Int {
        let timeout = options.closeTimeout
        let answer = try? await call(
            "close", within: timeout + .seconds(3), [.init("timeout_ms", JSONValue(Int(timeout.milliseconds)))])
        await refresh()
        return Int(clamping: answer?["cut"]?.intValue ?? 0)
    }

    package func takeAll(_ count: Int) async -> (got: Int, took: Duration)? {
        guard hello?.capabilities.contains(.takeAll) == true,
            let answer = try? await call(
                "take-all", within: options.acquireTimeout + .seconds(3), [.init("count", JSONValue(count))]),
            let got = answer["got"]?.intValue
        else { return nil }
        return (Int(clamping: got), .nanoseconds((answer["took_us"]?.intValue ?? 0) * 1_000))
    }
}
