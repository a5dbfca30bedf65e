import EventLoop
import Testing
import Threading

@Suite(.timeLimit(.minutes(15)))
struct ExecutorTests {
    @Test func taskThatPrefersTheLoopStaysOnItsThread() async throws {
        try await withLoop { loop in
            let places = await Task(executorPreference: loop) {
                var places = [loop.isOnLoop]
                await Task.yield()
                places.append(loop.isOnLoop)
                try? await loop.sleep(until: .inMilliseconds(1))
                places.append(loop.isOnLoop)
                places.append(await nonisolatedPlace(loop))
                return places
            }.value
            #expect(places == [true, true, true, true])
            #expect(!loop.isOnLoop)
        }
    }

    @Test func actorOnTheLoopRunsOnItsThread() async throws {
        try await withLoop { loop in
            let counter = Counter(loop: loop)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<100 { group.addTask { await counter.add() } }
            }
            #expect(await counter.count == 100)
            #expect(await counter.isAtHome())
        }
    }

    @Test func isolationCheckTrapsOnAnotherThread() async {
        await #expect(processExitsWith: .failure) {
            let loop = try EventLoop()
            loop.isolation.checkIsolated()
        }
    }

    @Test func tasksThatNeverPauseDoNotStarveWaitsAndAlarms() async throws {
        try await withLoop { loop in
            let (rings, bell) = AsyncStream.makeStream(of: Void.self)
            let alarm = loop.makeAlarm { bell.yield() }
            let (pair, slot) = (SocketPair(), loop.makeSlot())
            let busy = (0..<600).map { _ in
                Task(executorPreference: loop) { while !Task.isCancelled { await Task.yield() } }
            }
            alarm.set(at: .inMilliseconds(5))
            #expect(await rings.first { _ in true } != nil)
            pair.writeFar()
            try await loop.wait(slot, pair.near, for: .readable, until: .never)
            for task in busy { task.cancel() }
            for task in busy { await task.value }
        }
    }

    @Test func jobsFromManyThreadsAllRun() async throws {
        try await withLoop { loop in
            let sum = await withTaskGroup(of: Int.self) { group in
                for index in 0..<2000 { group.addTask { await Task(executorPreference: loop) { index }.value } }
                return await group.reduce(0, +)
            }
            #expect(sum == 2000 * 1999 / 2)
        }
    }

    private func nonisolatedPlace(_ loop: EventLoop) async -> Bool { loop.isOnLoop }

    private actor Counter {
        private let loop: EventLoop
        nonisolated var unownedExecutor: UnownedSerialExecutor { loop.isolation.asUnownedSerialExecutor() }
        private(set) var count = 0

        init(loop: EventLoop) { self.loop = loop }

        func add() async {
            let before = count
            count = before + 1
        }

        func isAtHome() -> Bool {
            preconditionIsolated()
            return loop.isOnLoop
        }
    }
}
