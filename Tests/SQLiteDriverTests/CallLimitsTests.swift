import Testing
import Threading

@testable import SQLiteDriver

private let start = MonotonicInstant(nanoseconds: 1_000_000_000)
private func at(_ offset: Duration) -> MonotonicInstant { start.advanced(by: offset) }

@Test func pausesDoubleUpToTenMillisecondsAndTheLastOneIsCutToTheLimit() {
    let limits = CallLimits(deadline: at(.seconds(9)), busyNanoseconds: 50_000_000, now: start)
    #expect(limits.pauseForLock(attempt: 0, at: start) == .milliseconds(1))
    #expect(limits.pauseForLock(attempt: 3, at: start) == .milliseconds(8))
    #expect(limits.pauseForLock(attempt: 4, at: start) == .milliseconds(10))
    #expect(limits.pauseForLock(attempt: 4000, at: start) == .milliseconds(10))
    #expect(limits.pauseForLock(attempt: 9, at: at(.milliseconds(47))) == .milliseconds(3))
    #expect(limits.pauseForLock(attempt: 9, at: at(.milliseconds(50))) == nil)
}

@Test func waitForLockNeverPassesTheDeadline() {
    let limits = CallLimits(deadline: at(.milliseconds(20)), busyNanoseconds: 9_000_000_000, now: start)
    #expect(limits.pauseForLock(attempt: 9, at: at(.milliseconds(15))) == .milliseconds(5))
    #expect(limits.pauseForLock(attempt: 9, at: at(.milliseconds(20))) == nil)
}

@Test func endlessWaitForALockDoesNotOverflow() {
    let limits = CallLimits(deadline: .distantFuture, busyNanoseconds: .max, now: start)
    #expect(limits.pauseForLock(attempt: 0, at: start) == .milliseconds(1))
}
