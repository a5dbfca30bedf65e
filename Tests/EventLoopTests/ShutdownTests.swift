import EventLoop
import Testing
import Threading

@Suite(.timeLimit(.minutes(15)))
struct ShutdownTests {
    @Test func pendingWaitsAndSleepsFailAsStopped() async throws {
        let loop = try EventLoop()
        // One each: a descriptor has one wait at a time.
        let pairs = (0..<100).map { _ in SocketPair() }
        let tasks = (0..<200).map { index in
            Task {
                let slot = loop.makeSlot()
                return await failure { () throws(LoopError) in
                    if index % 2 == 0 {
                        try await loop.wait(slot, pairs[index / 2].near, for: .readable, until: .never)
                    } else {
                        try await loop.sleep(until: .never)
                    }
                }
            }
        }
        loop.shutdown()  // some have registered by now, some come later: both must end
        for task in tasks { #expect(await task.value == .stopped) }
        withExtendedLifetime(pairs) {}
        #expect(LoopError.stopped.description.contains("was shut down"))
    }

    @Test func waitsAndAlarmsAfterTheShutdownAreRefused() async throws {
        let loop = try EventLoop()
        let slot = loop.makeSlot()
        let alarm = loop.makeAlarm { Issue.record("an alarm went off after the shutdown") }
        loop.shutdown()
        loop.shutdown()
        let pair = SocketPair()
        pair.writeFar()
        let waited = await failure { () throws(LoopError) in
            try await loop.wait(slot, pair.near, for: .readable, until: .never)
        }
        #expect(waited == .stopped)
        let slept = await failure { () throws(LoopError) in try await loop.sleep(until: .never) }
        #expect(slept == .stopped)
        alarm.set(at: .now)
    }

    @Test func tasksAndActorsThatOutliveTheLoopStillEnd() async throws {
        let loop = try EventLoop()
        let tasks = (0..<50).map { _ in
            Task(executorPreference: loop) {
                let error = await failure { () throws(LoopError) in try await loop.sleep(until: .never) }
                for _ in 0..<20 { await Task.yield() }
                return error
            }
        }
        let late = Late(loop: loop)
        loop.shutdown()
        for task in tasks { #expect(await task.value == .stopped) }
        #expect(await Task(executorPreference: loop) { 7 }.value == 7)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<500 { group.addTask { await late.add() } }
        }
        #expect(await late.count == 500)
    }

    @Test func loopIsFreedAfterItsShutdown() async throws {
        weak var gone: EventLoop?
        do {
            let loop = try EventLoop()
            gone = loop
            let alarm = loop.makeAlarm { [weak loop] in _ = loop?.isOnLoop }
            alarm.set(at: .never)
            loop.shutdown()
        }
        #expect(gone == nil)
    }

    @Test func shutdownFromTheLoopItselfTrapsInsteadOfHanging() async {
        await #expect(processExitsWith: .failure) {
            let loop = try EventLoop()
            await Task(executorPreference: loop) { loop.shutdown() }.value
        }
    }

    /// An actor on a loop that has gone: its jobs must still exclude each other.
    private actor Late {
        private let loop: EventLoop
        nonisolated var unownedExecutor: UnownedSerialExecutor { loop.isolation.asUnownedSerialExecutor() }
        private(set) var count = 0
        init(loop: EventLoop) { self.loop = loop }
        func add() { count += 1 }
    }
}
