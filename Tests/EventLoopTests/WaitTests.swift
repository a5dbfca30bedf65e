import Glibc
import Testing
import Threading

@testable import EventLoop

@Suite(.timeLimit(.minutes(15)))
struct WaitTests {
    @Test func waitEndsWhenThePeerWrites() async throws {
        try await withLoop { loop in
            let (pair, slot) = (SocketPair(), loop.makeSlot())
            let waiter = Task(executorPreference: loop) {
                await failure { () throws(LoopError) in
                    try await loop.wait(slot, pair.near, for: .readable, until: .never)
                }
            }
            // Runs after the waiter on the same thread: the wait is registered by then.
            await Task(executorPreference: loop) { pair.writeFar() }.value
            #expect(await waiter.value == nil)
        }
    }

    @Test func waitOnADescriptorThatIsReadyEndsAtOnce() async throws {
        try await withLoop { loop in
            let (pair, slot) = (SocketPair(), loop.makeSlot())
            pair.writeFar()
            for _ in 0..<100 { try await loop.wait(slot, pair.near, for: .readable, until: .never) }
        }
    }

    @Test func waitForWritableEndsWhenThePeerReads() async throws {
        try await withLoop { loop in
            let (pair, slot) = (SocketPair(), loop.makeSlot())
            pair.fillNear()
            let waiter = Task(executorPreference: loop) {
                await failure { () throws(LoopError) in
                    try await loop.wait(slot, pair.near, for: .writable, until: .never)
                }
            }
            await Task(executorPreference: loop) { pair.drainFar() }.value
            #expect(await waiter.value == nil)
        }
    }

    @Test func waitForBothEndsByEitherOfThem() async throws {
        try await withLoop { loop in
            let (pair, slot) = (SocketPair(), loop.makeSlot())
            try await loop.wait(slot, pair.near, for: .both, until: .never)  // writable
            pair.fillNear()
            pair.writeFar()
            try await loop.wait(slot, pair.near, for: .both, until: .never)  // readable
        }
    }

    @Test func hangUpEndsAWait() async throws {
        try await withLoop { loop in
            let (pair, slot) = (SocketPair(), loop.makeSlot())
            let waiter = Task(executorPreference: loop) {
                await failure { () throws(LoopError) in
                    try await loop.wait(slot, pair.near, for: .readable, until: .never)
                }
            }
            await Task(executorPreference: loop) { _ = shutdown(pair.far, Int32(SHUT_RDWR)) }.value
            #expect(await waiter.value == nil)
        }
    }

    @Test func waitFailsWhenItsDeadlinePasses() async throws {
        try await withLoop { loop in
            let (pair, slot) = (SocketPair(), loop.makeSlot())
            let deadline = MonotonicInstant.inMilliseconds(20)
            let error = await failure { () throws(LoopError) in
                try await loop.wait(slot, pair.near, for: .readable, until: deadline)
            }
            #expect(error == .timedOut)
            #expect(.now >= deadline)
        }
    }

    @Test func deadlineThatHasPassedWinsOverAReadyDescriptor() async throws {
        try await withLoop { loop in
            let (pair, slot) = (SocketPair(), loop.makeSlot())
            pair.writeFar()
            let error = await failure { () throws(LoopError) in
                try await loop.wait(slot, pair.near, for: .readable, until: .now)
            }
            #expect(error == .timedOut)
        }
    }

    @Test func deadlineHoldsAfterAWaitWithALaterOne() async throws {
        try await withLoop { loop in
            let (pair, slot) = (SocketPair(), loop.makeSlot())
            pair.writeFar()
            try await loop.wait(slot, pair.near, for: .readable, until: .never)
            pair.drainNear()
            let error = await failure { () throws(LoopError) in
                try await loop.wait(slot, pair.near, for: .readable, until: .inMilliseconds(20))
            }
            #expect(error == .timedOut)
        }
    }

    @Test func deadlineHoldsAfterAWaitWithAnEarlierOne() async throws {
        try await withLoop { loop in
            let (pair, slot) = (SocketPair(), loop.makeSlot())
            pair.writeFar()
            try await loop.wait(slot, pair.near, for: .readable, until: .inMilliseconds(30_000))
            pair.drainNear()
            // The slot's entry in the heap is now too early for the first and too late for the second.
            for milliseconds in [60, 20, 40] {
                let deadline = MonotonicInstant.inMilliseconds(milliseconds)
                let error = await failure { () throws(LoopError) in
                    try await loop.wait(slot, pair.near, for: .readable, until: deadline)
                }
                #expect(error == .timedOut)
                #expect(.now >= deadline)
            }
        }
    }

    @Test func slotMayWaitForAnotherDescriptorEachTime() async throws {
        try await withLoop { loop in
            let slot = loop.makeSlot()
            for _ in 0..<50 {
                let pair = SocketPair()  // the kernel gives the same numbers again
                pair.writeFar()
                try await loop.wait(slot, pair.near, for: .readable, until: .never)
            }
        }
    }

    @Test func kernelsRefusalNamesTheCall() async throws {
        try await withLoop { loop in
            let slot = loop.makeSlot()
            let file = open("/proc/self/status", O_RDONLY)
            defer { close(file) }
            let error = await failure { () throws(LoopError) in
                try await loop.wait(slot, file, for: .readable, until: .never)
            }
            #expect(error == .system(errno: EPERM, call: "epoll_ctl"))
            #expect(error?.description.contains("epoll_ctl failed: Operation not permitted") == true)

            // The slot is as good as new.
            let pair = SocketPair()
            pair.writeFar()
            try await loop.wait(slot, pair.near, for: .readable, until: .never)
        }
    }

    @Test func hundredsOfDeadlinesAllFire() async throws {
        try await withLoop { loop in
            let pairs = (0..<300).map { _ in SocketPair() }
            let errors = await withTaskGroup(of: LoopError?.self) { group in
                for (index, pair) in pairs.enumerated() {
                    group.addTask {
                        let slot = loop.makeSlot()
                        return await failure { () throws(LoopError) in
                            try await loop.wait(slot, pair.near, for: .readable, until: .inMilliseconds(index % 50))
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(errors.count == 300)
            #expect(errors.allSatisfy { $0 == .timedOut })
        }
    }

    @Test func lateEventOfAnEarlierWaitDoesNotEndTheNext() async throws {
        try await withLoop { loop in
            let (first, second, slot) = (SocketPair(), SocketPair(), loop.makeSlot())
            _ = await failure { () throws(LoopError) in
                try await loop.wait(slot, first.near, for: .readable, until: .inMilliseconds(1))
            }
            let next = Task(executorPreference: loop) {
                await failure { () throws(LoopError) in
                    try await loop.wait(slot, second.near, for: .readable, until: .inMilliseconds(50))
                }
            }
            // `first` is still armed in the kernel with the old generation.
            await Task(executorPreference: loop) { first.writeFar() }.value
            #expect(await next.value == .timedOut)
        }
    }

    @Test func slotsAreUsedAgain() async throws {
        try await withLoop { loop in
            for _ in 0..<10 {
                let slots = (0..<100).map { _ in loop.makeSlot() }
                #expect(Set(slots.map { $0.slot.index }).count == 100)
            }
            #expect(loop.slots.counts.total == 128)
            #expect(loop.slots.counts.free == 128)
        }
    }
}
