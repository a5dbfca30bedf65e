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
    package struct Options: Sendable {
        /// Program (absolute path) and arguments.
        package var command: [String]
        /// Argument 0 of the program; its path when `nil`.
        package var name: String?
        package var environment: [String: String]
        package var logPath: String
        /// From the start to the hello.
        package var helloLimit = Duration.seconds(15)
        /// Of the pool, for the wait for a connection.
        package var acquireTimeout: Duration
        /// An attempt is given up by the rig so long after it was begun: longer than the pool's own limits add up to.
        package var answerLimit: Duration
        package var closeTimeout: Duration
        package var policy: RetryPolicy
        package var seed: UInt64
        /// What opens a transaction that a client leaves open.
        package var begin = SQLStatement("BEGIN", role: .begin)

        package init(
            command: [String], name: String?, environment: [String: String], logPath: String, acquireTimeout: Duration,
            answerLimit: Duration, closeTimeout: Duration, policy: RetryPolicy, seed: UInt64
        ) {
            self.command = command
            self.name = name
            self.environment = environment
            self.logPath = logPath
            self.acquireTimeout = acquireTimeout
            self.answerLimit = answerLimit
            self.closeTimeout = closeTimeout
            self.policy = policy
            self.seed = seed
        }
    }

    private static let statsEvery = Duration.milliseconds(50)
    private static let statsLimit = Duration.seconds(10)
    /// From `exit` to SIGKILL.
    private static let exitLimit = Duration.seconds(2)
    private static let killLimit = Duration.seconds(10)

    private struct State {
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

    private let options: Options
    private let runtime: any PoolRuntime
    private let sink: any EventSink
    private let journal: any UndoJournal
    private let retrying: RetryingUse
    private let state = Lock(State())

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
    private func ask(
        within limit: Duration, _ line: (_ id: Int) -> JSONValue
    ) async -> AdapterDesk.Answer {
        let deadline = runtime.now.advanced(by: limit)
        let id = state.withLock { $0.desk.newID() }
        let request = line(id)
        let cancel: @Sendable () -> Void = { [self] in
            let (life, cancel) = state.withLock { state in
                (state.hello.map(Self.canCancel) == true ? state.life : nil, state.desk.newID())
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

    package func use(_ request: UseRequest) async -> UseReport {
        await retrying.run(
            request, runtime: runtime, onRetry: { state.withLock { $0.retries += 1 } },
            tryOnce: { number, completion in await tryOnce(request, number: number, into: &completion) })
    }

    private func tryOnce(
        _ request: UseRequest, number: Int, into completion: inout Completion
    ) async -> AttemptResult {
        if let lacking = lacking(request) {
            var result = AttemptResult()
            result.failure = UseFailure(
                .poolRefused, during: .acquire, message: "this adapter has no capability \(lacking.rawValue)",
                requestSent: false, request)
            return result
        }
        let behaviour = AdapterBehaviour(request, begin: options.begin)
        var use = AdapterUse(
            steps: behaviour.steps(number), isTransaction: behaviour.isTransaction, isReadOnly: request.isReadOnly,
            leaks: request.leaks, wantsRows: request.wantsRows, timeout: options.acquireTimeout,
            deadline: options.answerLimit)
        use.hold = behaviour.hold
        armCancel(of: request)
        let startedAt = runtime.now
        let answer = await ask(within: options.answerLimit) { id in use.line(id: id) }
        var times = CallTimes()
        times.begin(startedAt)
        let phase: OperationPhase = request.isTransaction ? .commit : .query
        var result = AttemptResult()
        switch answer {
        case .line(let line):
            guard let answer = AdapterAnswer(line) else {
                result.failure = UseFailure(
                    .protocolViolation, during: phase,
                    message: "the pool's process gave an answer without a status: \(line.compactText.prefix(200))",
                    requestSent: true, request)
                break
            }
            result = answer.result(request)
            times = measured(answer)
            if result.failure == nil {
                for note in behaviour.notes { times.note(note.key, note.value) }
                result.failure = behaviour.failure
                result.results = Array(
                    result.results.dropFirst(behaviour.stepsBefore).prefix(behaviour.ownSteps(number)))
            }
        case .ended(let reason):
            // Which of its calls took how long died with it.
            times = CallTimes(acquire: .zero, query: nil, release: nil, connection: nil, backendPID: nil)
            result.failure = UseFailure(
                .connectionLost, during: phase, message: "the pool's process ended during the use: \(reason)",
                requestSent: true, request)
        case .silent:
            result.failure = UseFailure(
                .timedOut, during: phase,
                message: "the pool's process gave no answer within \(Int(options.answerLimit.milliseconds)) ms",
                requestSent: true, request)
        case .notSent:
            result.failure = UseFailure(
                .poolRefused, during: .acquire, message: "the pool's process does not run", requestSent: false, request)
        }
        times.end(runtime.now)
        completion.absorb(times, attempt: number)
        return result
    }

    private static func canCancel(_ hello: AdapterHello) -> Bool {
        hello.capabilities.contains(.cancel) || hello.capabilities.contains(.cancelQuery)
    }

    /// A client that nobody can cancel is not said to have been.
    private func armCancel(of request: UseRequest) {
        guard let cancelSwitch = request.cancelSwitch, let hello else { return }
        if Self.canCancel(hello) {
            cancelSwitch.reachSomewhere(onlyQuery: !hello.capabilities.contains(.cancel))
        } else if request.acquireLimit == nil {
            // The probe, which has such a limit, is cancelled only where it would take longer.
            state.withLock { $0.lacksCancel = true }
        }
    }

    /// What the request needs, and the adapter has not said that it can; `nil` also where it has not said anything yet.
    private func lacking(_ request: UseRequest) -> AdapterHello.Capability? {
        guard let known = hello?.capabilities else { return nil }
        if request.leaks, !known.contains(.leak) { return .leak }
        return request.isTransaction && !known.contains(.transaction) ? .transaction : nil
    }

    /// What the adapter measured, with the number that its connection has in the history.
    private func measured(_ answer: AdapterAnswer) -> CallTimes {
        var connection = answer.connection
        var isNew = false
        if let own = answer.connection {
            connection = state.withLock { $0.numbers.number(own) }
        } else if let pid = answer.backendPID {
            (connection, isNew) = state.withLock { $0.numbers.number(ofPID: pid) }
        }
        if isNew {
            sink.record(
                .info, .pool, "connection-opened",
                ["conn": JSONValue(connection), "pid": JSONValue(answer.backendPID), "first_seen": true])
        }
        return CallTimes(
            acquire: answer.acquire ?? .zero, query: answer.query, release: answer.release, connection: connection,
            backendPID: answer.backendPID, leasedAt: answer.leasedAt, returnedAt: answer.returnedAt)
    }
}
