import Testing
import Threading

@testable import EventLoop

@Suite(.timeLimit(.minutes(15)))
struct CancellationTests {
    @Test func cancelDuringAWaitEndsIt() async throws {
        try await withLoop { loop in
            let (pair, slot) = (SocketPair(), loop.makeSlot())
            let waiter = Task(executorPreference: loop) {
                await failure { () throws(LoopError) in
                    try await loop.wait(slot, pair.near, for: .readable, until: .never)
                }
            }
            await Task(executorPreference: loop) { waiter.cancel() }.value
            #expect(await waiter.value == .cancelled)
        }
    }

    @Test func cancelBeforeTheWaitIsNotLost() async throws {
        try await withLoop { loop in
            let (pair, slot) = (SocketPair(), loop.makeSlot())
            let waiter = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return await failure { () throws(LoopError) in
                    try await loop.wait(slot, pair.near, for: .readable, until: .never)
                }
            }
            #expect(await waiter.value == .cancelled)
        }
    }

    @Test func cancelAtAnyMomentEndsTheWait() async throws {
        try await withLoop { loop in
            let (pair, slot) = (SocketPair(), loop.makeSlot())
            for _ in 0..<1000 {
                let waiter = Task {
                    await failure { () throws(LoopError) in
                        try await loop.wait(slot, pair.near, for: .readable, until: .never)
                    }
                }
                waiter.cancel()
                #expect(await waiter.value == .cancelled)
            }
        }
    }

    @Test func cancelledSleepEndsAtOnce() async throws {
        try await withLoop { loop in
            let sleeper = Task(executorPreference: loop) {
                await failure { () throws(LoopError) in try await loop.sleep(until: .never) }
            }
            await Task(executorPreference: loop) { sleeper.cancel() }.value
            #expect(await sleeper.value == .cancelled)
        }
    }

    @Test func sleepEndsAtItsTimeAndNotBefore() async throws {
        try await withLoop { loop in
            let deadline = MonotonicInstant.inMilliseconds(30)
            try await loop.sleep(until: deadline)
            #expect(.now >= deadline)
            try await loop.sleep(until: deadline)  // has passed: returns at once
        }
    }

    @Test("Readiness, deadline and cancellation race: every wait ends, once, in one of the three ways")
    func everyWaitIsAccountedFor() async throws {
        try await withLoop { loop in
            let ends = await withTaskGroup(of: [String: Int].self) { group in
                for worker in 0..<24 {
                    group.addTask(executorPreference: worker % 2 == 0 ? loop : nil) {
                        await raceManyWaits(on: loop, rounds: 100, seed: UInt64(worker))
                    }
                }
                return await group.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
            }
            #expect(ends.values.reduce(0, +) == 2400)
            #expect(Set(ends.keys) == ["ready", "timed out", "cancelled"], "each way out was taken: \(ends)")
        }
    }
}

/// Waits again and again on one slot, while a helper writes, cancels, or leaves it to the deadline.
private func raceManyWaits(on loop: EventLoop, rounds: Int, seed: UInt64) async -> [String: Int] {
    let (pair, slot) = (SocketPair(), loop.makeSlot())
    var dice = Dice(state: seed)
    var ends: [String: Int] = [:]
    for _ in 0..<rounds {
        let milliseconds = 1 + dice.next(below: 3)
        let waiter = Task {
            await failure { () throws(LoopError) in
                try await loop.wait(slot, pair.near, for: .readable, until: .inMilliseconds(milliseconds))
            }
        }
        let choice = dice.next(below: 3)
        if dice.next(below: 2) == 0 { try? await loop.sleep(until: .inMilliseconds(1)) }
        if choice == 0 { pair.writeFar() }
        if choice == 1 { waiter.cancel() }
        switch await waiter.value {
        case nil: ends["ready", default: 0] += 1
        case .timedOut: ends["timed out", default: 0] += 1
        case .cancelled: ends["cancelled", default: 0] += 1
        case .some(let other): ends["\(other)", default: 0] += 1
        }
        pair.drainNear()
    }
    return ends
}
