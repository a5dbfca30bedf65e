import RigModel
import Testing

@testable import Reporting

struct SoakVerdictTests {
    private func verdict(_ windows: [SoakWindow], change: (inout SoakLog) -> Void = { _ in }) -> SoakVerdict {
        var log = SoakSample.log(windows)
        change(&log)
        return SoakVerdict(log)
    }

    @Test func allValidIsValid() {
        let verdict = verdict((1...12).map { SoakSample.window($0) })
        #expect(verdict.verdict == .valid && verdict.exitCode == 0 && verdict.reasons.isEmpty)
        #expect(verdict.faults == [SoakVerdict.Kind(kind: "restart", injected: 12, landed: 12)])
    }

    @Test func oneRedWindowAmongManyIsInvalid() {
        let red = SoakSample.window(5, verdict: .invalid, invariants: [("leaks", .invalid)])
        let verdict = verdict((1...4).map { SoakSample.window($0) } + [red] + (6...12).map { SoakSample.window($0) })
        #expect(verdict.verdict == .invalid && verdict.exitCode == 1)
        #expect(verdict.reasons == ["leaks is violated in window 5"])
        #expect(verdict.invariants == [SoakWindow.Judged(name: "leaks", verdict: .invalid)])
    }

    @Test func oneFaultThatMissedAmongManyIsNamedOnly() {
        let windows = (1...12).map {
            SoakSample.window($0, verdict: $0 == 3 ? .unknown : .valid, faults: [("restart", $0 != 3)])
        }
        #expect(verdict(windows).verdict == .valid)
    }

    @Test func aKindThatNeverLandedIsUnknown() {
        let windows = (1...12).map {
            SoakSample.window($0, faults: $0 == 3 ? [("link-down", false)] : [("restart", true)])
        }
        let verdict = verdict(windows)
        #expect(verdict.verdict == .unknown && verdict.exitCode == 4)
        #expect(verdict.reasons == ["link-down never landed (1 injected)"])
    }

    @Test func aKindThatMissesOftenIsUnknown() {
        let windows = (1...12).map { SoakSample.window($0, faults: [("freeze", $0 > 3)]) }
        #expect(verdict(windows).reasons == ["freeze landed in 9 of 12 injections only"])
    }

    @Test func anInvariantThatWasNeverJudgedIsUnknown() {
        let windows = (1...12).map { SoakSample.window($0, invariants: [("leaks", .valid), ("storm", .unknown)]) }
        #expect(verdict(windows).reasons == ["storm could not be judged in any window"])
        let some = windows + [SoakSample.window(13, invariants: [("leaks", .unknown), ("storm", .valid)])]
        #expect(verdict(some).verdict == .valid)
    }

    @Test func manyWindowsWithoutAJudgementAreUnknown() {
        let windows = (1...12).map { SoakSample.window($0, verdict: $0 < 4 ? .unknown : .valid) }
        #expect(verdict(windows).reasons == ["windows 1, 2, 3 could not be judged"])
    }

    @Test func nothingRunIsUnknown() {
        #expect(verdict([]).reasons == ["no window was run to its end"])
        #expect(verdict([SoakSample.window(1, faults: [])]).reasons == ["no fault was injected"])
    }

    @Test func signalAndLeftoversHaveTheirExitCodes() {
        let windows = (1...12).map { SoakSample.window($0) }
        #expect(verdict(windows) { $0.signal = 2 }.exitCode == 130)
        #expect(verdict(windows) { $0.signal = 2 }.verdict == .unknown)
        #expect(verdict(windows) { $0.leftovers = ["a rule"] }.exitCode == 5)
    }

    @Test func soakThatGaveUpIsNotGreen() {
        let windows = (1...60).map { SoakSample.window($0) }
        let verdict = verdict(windows) { log in
            log.plannedSeconds = 8 * 3600
            log.gaveUp = SoakLog.GaveUp(reason: "3 segments in a row came to nothing: no server", exitCode: 3)
        }
        #expect(verdict.verdict == .unknown && verdict.exitCode == 3)
        #expect(verdict.reasons.first?.contains("of 8 h: 3 segments in a row came to nothing: no server") == true)
        #expect(self.verdict(windows) { $0.gaveUp = .init(reason: "", exitCode: nil) }.exitCode == 4)
    }

    @Test func findingCountsMoreThanGivingUp() {
        let windows = [SoakSample.window(1, verdict: .invalid, invariants: [("leaks", .invalid)])]
        let gaveUp = SoakLog.GaveUp(reason: "no server", exitCode: 3)
        let verdict = verdict(windows) { $0.gaveUp = gaveUp }
        #expect(verdict.verdict == .invalid && verdict.exitCode == 1 && verdict.reasons.count == 2)
        #expect(
            self.verdict(windows) { log in
                log.gaveUp = gaveUp
                log.leftovers = ["a rule"]
            }.exitCode == 5)
    }

    @Test func windowsThatCameToNothingAreNotForgotten() {
        let windows = (1...18).map { SoakSample.window($0) }
        #expect(verdict(windows) { $0.lostWindows = 2 }.verdict == .valid)
        let verdict = verdict(windows) { $0.lostWindows = 3 }
        #expect(verdict.verdict == .unknown && verdict.exitCode == 4)
        #expect(verdict.reasons == ["3 windows came to nothing: see the notes"])
    }

    @Test func interruptIsCalledByItsSignal() {
        let windows = (1...12).map { SoakSample.window($0) }
        #expect(verdict(windows) { $0.signal = 1 }.reasons == ["interrupted by SIGHUP"])
    }

    @Test func growthIsAViolation() {
        let windows = (1...20).map { SoakSample.window($0, megabytes: 60 + 4 * Double($0)) }
        let verdict = verdict(windows)
        #expect(verdict.verdict == .invalid && verdict.reasons.count == 1)
        #expect(SoakReport.make(SoakSample.log(windows)).invariants.last?.verdict == .invalid)
    }
}
