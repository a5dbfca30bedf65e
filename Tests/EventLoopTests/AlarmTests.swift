import EventLoop
import Synchronization
import Testing
import Threading

@Suite(.timeLimit(.minutes(15)))
struct AlarmTests {
    @Test func alarmGoesOffOnTheLoopsThreadAndNotBeforeItsTime() async throws {
        try await withLoop { loop in
            let (rings, bell) = AsyncStream.makeStream(of: (MonotonicInstant, Bool).self)
            let alarm = loop.makeAlarm { bell.yield((.now, loop.isOnLoop)) }
            let time = MonotonicInstant.inMilliseconds(20)
            alarm.set(at: time)
            let ring = await rings.first { _ in true }
            #expect(ring.map { $0.0 >= time } == true)
            #expect(ring?.1 == true)
        }
    }

    @Test func earlierTimeFromAnotherThreadWakesTheSleepingLoop() async throws {
        try await withLoop { loop in
            let (rings, bell) = AsyncStream.makeStream(of: Void.self)
            let alarm = loop.makeAlarm { bell.yield() }
            alarm.set(at: .never)
            // Set, and awaited on the loop: the loop has nothing else to wake for now.
            await Task(executorPreference: loop) {}.value
            ServiceThread(name: "setter") { alarm.set(at: .inMilliseconds(5)) }.join()
            #expect(await rings.first { _ in true } != nil)
        }
    }

    @Test func laterTimeReplacesAnEarlierOne() async throws {
        try await withLoop { loop in
            let (rings, bell) = AsyncStream.makeStream(of: MonotonicInstant.self)
            let alarm = loop.makeAlarm { bell.yield(.now) }
            let later = MonotonicInstant.inMilliseconds(80)
            // On the loop's thread nothing can go off between the two calls.
            await Task(executorPreference: loop) {
                alarm.set(at: .inMilliseconds(5))
                alarm.set(at: later)
            }.value
            let rang = try #require(await rings.first { _ in true })
            #expect(rang >= later)
        }
    }

    @Test func clearedAndCancelledAlarmsStaySilent() async throws {
        try await withLoop { loop in
            let (rings, bell) = AsyncStream.makeStream(of: String.self)
            let cleared = loop.makeAlarm { bell.yield("cleared") }
            let cancelled = loop.makeAlarm { bell.yield("cancelled") }
            let last = loop.makeAlarm { bell.yield("last") }
            // On the loop's thread nothing can go off between these calls.
            await Task(executorPreference: loop) {
                cleared.set(at: .inMilliseconds(10))
                cancelled.set(at: .inMilliseconds(10))
                cleared.clear()
                cancelled.cancel()
                cancelled.set(at: .inMilliseconds(10))
                last.set(at: .inMilliseconds(40))
            }.value
            #expect(await rings.first { _ in true } == "last")
        }
    }

    @Test func alarmSetFromItsOwnCallbackGoesOffAgain() async throws {
        try await withLoop { loop in
            let (rings, bell) = AsyncStream.makeStream(of: Int.self)
            let own = Lock<LoopAlarm?>(nil)
            let count = Atomic<Int>(0)
            let alarm = loop.makeAlarm {
                bell.yield(count.add(1, ordering: .relaxed).newValue)
                own.withLock { $0 }?.set(at: .now)
            }
            own.withLock { $0 = alarm }
            alarm.set(at: .now)
            #expect(await rings.first { $0 == 1000 } == 1000)
            alarm.cancel()
            own.withLock { $0 = nil }
        }
    }

    @Test func cancelLetsGoOfWhatTheCallbackHolds() async throws {
        try await withLoop { loop in
            let alarm: LoopAlarm
            weak var held: SocketPair?
            do {
                let pair = SocketPair()
                held = pair
                alarm = loop.makeAlarm { _ = pair.near }
            }
            #expect(held != nil)
            alarm.cancel()
            #expect(held == nil)
        }
    }

    @Test func droppedAlarmLetsGoOfItsCallbackAndStaysSilent() async throws {
        try await withLoop { loop in
            let (rings, bell) = AsyncStream.makeStream(of: String.self)
            let isFreed = await Task(executorPreference: loop) {
                weak var held: SocketPair?
                do {
                    let pair = SocketPair()
                    held = pair
                    loop.makeAlarm {
                        _ = pair.near
                        bell.yield("dropped")
                    }.set(at: .inMilliseconds(5))
                }
                return held == nil
            }.value
            #expect(isFreed)
            let last = loop.makeAlarm { bell.yield("last") }
            last.set(at: .inMilliseconds(20))
            #expect(await rings.first { _ in true } == "last")
        }
    }

    @Test("Four threads move thousands of alarms about; none is lost, none goes off before its time")
    func noAlarmIsLostOrEarly() async throws {
        try await withLoop { loop in
            let (rings, bell) = AsyncStream.makeStream(of: Int.self)
            let final = MonotonicInstant.inMilliseconds(400)
            let early = Atomic<Int>(0)
            let alarms = (0..<2000).map { index in
                loop.makeAlarm {
                    if MonotonicInstant.now < final { early.add(1, ordering: .relaxed) }
                    bell.yield(index)
                }
            }
            let threads = (0..<4).map { part in
                ServiceThread(name: "mover-\(part)") {
                    for index in stride(from: part, to: alarms.count, by: 4) {
                        alarms[index].set(at: .never)
                        alarms[index].clear()
                        alarms[index].set(at: final.advanced(by: .milliseconds(50)))
                        alarms[index].set(at: final)
                    }
                }
            }
            for thread in threads { thread.join() }
            var seen: [Int: Int] = [:]
            for await index in rings {
                seen[index, default: 0] += 1
                if seen.count == alarms.count { break }
            }
            #expect(early.load(ordering: .relaxed) == 0)
            #expect(seen.count == 2000)
            for alarm in alarms { alarm.cancel() }
        }
    }
}
