import Testing

@testable import SQLiteDriver

@Suite struct ThreadPlanTests {
    @Test func threadsStartOnDemandUpToTheWidth() {
        var plan = ThreadPlan(width: 2)
        #expect(plan.jobAdded() == .start)
        #expect(plan.jobAdded() == .start)
        #expect(plan.jobAdded() == .none)
        #expect(plan.threads == 2)
        #expect(plan.waitingJobs == 3)
    }

    @Test func sleepingThreadIsWokenOnceAndBeforeAnotherStarts() {
        var plan = ThreadPlan(width: 2)
        plan.connectionOpened()
        _ = plan.jobAdded()
        #expect(plan.next() == .run)
        #expect(plan.next() == .sleep)
        #expect(plan.jobAdded() == .wake)
        #expect(plan.jobAdded() == .start)  // the first is on its way already
        #expect(plan.next() == .run)
        #expect(plan.next() == .run)
    }

    @Test func threadWithoutConnectionsLingersOnceAndEnds() {
        var plan = ThreadPlan(width: 2)
        _ = plan.jobAdded()
        #expect(plan.next() == .run)
        #expect(plan.next() == .linger)
        plan.wokeUncalled()
        #expect(plan.next(hasLingered: true) == .end)
        #expect(plan.threads == 0)
        #expect(!plan.hasEnded)
        #expect(plan.jobAdded() == .start)
    }

    @Test func lastCloseWakesAllThatSleep() {
        var plan = ThreadPlan(width: 2)
        plan.connectionOpened()
        plan.connectionOpened()
        _ = plan.jobAdded()
        #expect(plan.next() == .run)
        #expect(plan.next() == .sleep)
        #expect(plan.connectionClosed() == false)
        #expect(plan.sleeping == 1)
        #expect(plan.connectionClosed() == true)
        #expect(plan.sleeping == 0)
        #expect(plan.next() == .linger)
    }

    @Test func groupGrowsOnlyWhileNothingMovesAndShrinksAgain() {
        var plan = ThreadPlan(width: 1)
        plan.connectionOpened()
        _ = plan.jobAdded()
        #expect(plan.next() == .run)
        _ = plan.jobAdded()
        #expect(plan.tick() == false)  // a job was taken since the last tick
        #expect(plan.tick() == true)
        #expect(plan.threads == 2)
        #expect(plan.tick() == false)  // one for each connection beyond the width, and no more
        #expect(plan.next() == .run)
        #expect(plan.next() == .end)
        #expect(plan.next() == .sleep)
    }

    @Test func idleGroupDoesNotGrow() {
        var plan = ThreadPlan(width: 1)
        plan.connectionOpened()
        #expect(plan.tick() == false)
        #expect(plan.tick() == false)
    }

    @Test func stoppedGroupFinishesItsJobsAndThenRefuses() {
        var plan = ThreadPlan(width: 2)
        _ = plan.jobAdded()
        plan.stop()
        #expect(!plan.hasEnded)
        #expect(plan.next() == .run)
        #expect(plan.jobAdded() == .start)
        #expect(plan.next() == .run)
        #expect(plan.next() == .end)
        #expect(plan.next() == .end)
        #expect(plan.hasEnded)
        #expect(plan.jobAdded() == .refuse)
        #expect(plan.waitingJobs == 0)
    }
}

@Suite struct FifoTests {
    @Test func elementsComeOutInTheirOrderHoweverManyAreTakenBetween() {
        var fifo = Fifo<Int>()
        var next = 0
        var expected = 0
        for round in 0..<500 {
            for _ in 0..<(round % 7) {
                fifo.append(next)
                next += 1
            }
            for _ in 0..<(round % 5) {
                guard let first = fifo.popFirst() else { break }
                #expect(first == expected)
                expected += 1
            }
        }
        while let first = fifo.popFirst() {
            #expect(first == expected)
            expected += 1
        }
        #expect(expected == next)
        #expect(fifo.popFirst() == nil)
    }
}

@Suite struct SQLTextTests {
    @Test(
        "Only a PRAGMA is one",
        arguments: [
            ("PRAGMA x", true), ("  pragma x", true), ("-- PRAGMA\nselect 1", false), ("/* a */ ; Pragma x", true),
            ("SELECT 'pragma'", false), ("", false), ("-- only", false), ("/* open", false), ("pra", false),
        ])
    func isPragma(text: String, expected: Bool) { #expect(SQLText.isPragma(text) == expected) }

    @Test func quotesAreDoubled() { #expect(SQLText.quoted("a\"b") == "\"a\"\"b\"") }
}
