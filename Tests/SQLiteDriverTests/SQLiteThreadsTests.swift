import ConnectionPool
import Glibc
import RigModel
import Testing
import Threading

@testable import SQLiteDriver

@Suite struct SQLiteThreadsTests {
    /// The thread's number; a function of its own, because a caller that suspends must not keep it.
    private static func thread() -> UInt { UInt(pthread_self()) }

    @Test func callsFromTheGroupStayOnTheirThread() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.withConnection { connection async throws in
                let threads = connection.session.threads
                _ = try await connection.run("SELECT 1", role: .read)  // prepared, and known to be quick
                let moved = try await withTaskExecutorPreference(threads) { @concurrent () async throws -> Int in
                    var moved = 0
                    for _ in 0..<1000 {
                        let before = Self.thread()
                        _ = try await connection.run("SELECT 1", role: .read)
                        if Self.thread() != before { moved += 1 }
                    }
                    return moved
                }
                // It yields only when its turn is over and somebody waits; nobody does.
                #expect(moved == 0)
            }
        }
    }

    @Test func callsFromTheMainActorComeOver() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.withConnection { connection async throws in
                let value = try await Task { @MainActor in
                    let value = try await connection.single("SELECT 7")
                    MainActor.assertIsolated()
                    return value
                }.value
                #expect(value == .int(7))
            }
        }
    }

    /// One thread, and a writer that waits for another whose COMMIT needs that thread.
    @Test func waitForALockHoldsNoThread() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable()
            let threads = SQLiteThreads(width: 1)
            let driver = SQLiteDriver(database.configuration(), threads: threads)
            let first = try await driver.connect(deadline: .soon)
            let second = try await driver.connect(deadline: .soon)
            _ = try await first.run("BEGIN IMMEDIATE", role: .begin)
            let waiting = try await second.start("INSERT INTO t VALUES (2, 2)")
            _ = try await first.run("INSERT INTO t VALUES (1, 1)")
            _ = try await first.run("COMMIT", role: .commit)
            #expect(try await waiting.value.get().affectedRows == 1)
            #expect(await threads.stop(deadline: .soon))
        }
    }

    @Test func hungThreadIsReplaced() async throws {
        try await TemporaryDatabase.with { database async throws in
            let threads = SQLiteThreads(width: 1)
            let driver = SQLiteDriver(database.configuration(), threads: threads)
            let connection = try await driver.connect(deadline: .soon)
            let (hung, release) = (Semaphore(), Semaphore())
            // Stands for a system call that does not return.
            let hanging = Task(executorPreference: threads) {
                hung.signal()
                release.wait()
            }
            await withCheckedContinuation { continuation in
                let waiter = ServiceThread(name: "waiter") {
                    hung.wait()
                    continuation.resume()
                }
                Task.detached { waiter.join() }
            }
            #expect(try await connection.single("SELECT 1") == .int(1))
            release.signal()
            await hanging.value
            #expect(await threads.stop(deadline: .soon))
            #expect(connection.transactionStatus == .unusable)
        }
    }

    /// Tasks that never suspend share the threads all the same.
    @Test func tasksTakeTurns() async throws {
        try await TemporaryDatabase.with { database async throws in
            let threads = SQLiteThreads(width: 1)
            let driver = SQLiteDriver(database.configuration(), threads: threads)
            let first = try await driver.connect(deadline: .soon)
            let second = try await driver.connect(deadline: .soon)
            let isDone = Shared(false)
            let endlessTask = Task(executorPreference: threads) {
                while !isDone.value { _ = try await first.run("SELECT 1", role: .read) }
            }
            let other = Task(executorPreference: threads) {
                let value = try await second.single("SELECT 2")
                isDone.value = true
                return value
            }
            #expect(try await other.value == .int(2))
            try await endlessTask.value
            #expect(await threads.stop(deadline: .soon))
        }
    }

    @Test func stopClosesWhatIsOpenAndEndsWhatRuns() async throws {
        try await TemporaryDatabase.with { database async throws in
            let driver = SQLiteDriver(database.configuration())
            let running = try await driver.connect(deadline: .soon)
            let idle = try await driver.connect(deadline: .soon)
            let task = try await running.start(endless)
            #expect(await driver.threads.stop(deadline: .soon))
            #expect(await driver.threads.stop(deadline: .soon))
            let result = await task.value
            #expect(throws: DriverError.self) { try result.get() }
            #expect(database.openDescriptors == [])
            for connection in [running, idle] {
                let error = try await failure { () async throws(DriverError) in try await connection.run("SELECT 1") }
                #expect(error.cause == .embedded(code: "SQLITE_MISUSE"))
                await connection.close(deadline: .soon)
            }
            let refused = try await failure { () async throws(DriverError) in try await driver.connect(deadline: .soon)
            }
            #expect(refused.cause == .embedded(code: "SQLITE_MISUSE"))
        }
    }

    @Test func taskThatOutlivesTheGroupGoesOn() async throws {
        let threads = SQLiteThreads(width: 1)
        let (stream, send) = AsyncStream.makeStream(of: Int.self)
        let task = Task(executorPreference: threads) {
            var sum = 0
            for await number in stream { sum += number }
            return sum
        }
        send.yield(1)
        #expect(await threads.stop(deadline: .soon))
        send.yield(2)
        send.finish()
        #expect(await task.value == 3)
    }

    @Test func stoppedGroupHasNoThread() async {
        await #expect(processExitsWith: .success) {
            try await TemporaryDatabase.with { database async throws in
                for _ in 0..<20 {
                    let driver = SQLiteDriver(database.configuration())
                    let connections = try await [
                        driver.connect(deadline: .soon), driver.connect(deadline: .soon),
                    ]
                    for connection in connections { _ = try await connection.run("SELECT 1") }
                    let hasEnded = await driver.threads.stop(deadline: .soon)
                    precondition(hasEnded)
                    // A thread that was joined is in /proc a moment longer.
                    let end = MonotonicInstant.soon
                    while Threads.names.contains(where: { $0.hasPrefix("sqlite") }) {
                        precondition(.now < end, "left: \(Threads.names)")
                        await Task.yield()
                    }
                }
            }
        }
    }
}

@Suite struct CallGateTests {
    /// The progress handler does not stop this call, as it does not stop a long single instruction.
    @Test func callPastItsDeadlineIsInterruptedFromOutside() async throws {
        try await TemporaryDatabase.with { database async throws in
            let gate = CallGate()
            let code = Shared<String?>(nil)
            let ended = Ending()
            let runner = ServiceThread(name: "runner") {
                let handle = SQLiteHandle(gate: gate, cacheSize: 1, counter: CacheCounter())
                do throws(DriverError) {
                    try handle.open(database.configuration())
                    _ = try? gate.enter(deadline: .now)
                    _ = try handle.run(SQLStatement(endless, role: .read))
                } catch {
                    code.value = error.cause.code
                }
                _ = gate.leave(with: .idle)
                _ = handle.close()
                ended.markEnded()
            }
            let limit = MonotonicInstant.soon
            while await !ended.wait(until: .now.advanced(by: .milliseconds(1))) {
                gate.expire(at: .now)
                try #require(MonotonicInstant.now < limit)
            }
            runner.join()
            #expect(code.value == "SQLITE_INTERRUPT")
        }
    }

    @Test func secondCallIsRefusedWhileOneIsUnderWay() throws {
        let gate = CallGate()
        let call = try gate.enter(deadline: .soon)
        #expect(throws: CallGate.Refusal.inUse) { try gate.enter(deadline: .soon) }
        #expect(!gate.leave(with: nil))
        #expect(throws: CallGate.Refusal.inUse) { try gate.enter(deadline: .soon) }
        #expect(try gate.enter(call, deadline: .soon) == call)
        #expect(!gate.leave(with: .idle))
        #expect(gate.transactionStatus == .idle)
        #expect(try gate.enter(deadline: .soon) == call + 1)
    }

    @Test func lateCancellationDoesNotReachTheNextCall() throws {
        let gate = CallGate()
        let first = try gate.enter(deadline: .soon)
        _ = gate.leave(with: .idle)
        _ = try gate.enter(deadline: .soon)
        gate.cancel(first)
        #expect(gate.stopRequest == .none)
    }

    @Test func closeWaitsForTheCallAndRefusesTheNext() throws {
        let gate = CallGate()
        _ = try gate.enter(deadline: .soon)
        #expect(gate.beginClose() == .afterCall)
        #expect(gate.beginClose() == .alreadyRequested)
        #expect(gate.stopRequest == .aborted)
        #expect(gate.leave(with: .idle))
        #expect(throws: CallGate.Refusal.closed) { try gate.enter(deadline: .soon) }
        #expect(gate.transactionStatus == .unusable)
    }

    @Test func firstStopRequestStays() throws {
        let gate = CallGate()
        let call = try gate.enter(deadline: .soon)
        gate.cancel(call)
        gate.abort()
        #expect(gate.stopRequest == .cancelled)
    }
}
