import Checkers
import RigModel
import Testing

/// Ten operations a second for 20 s; those that end between two seconds have so many attempts.
private func run(
    attempts: Int, from: Double = 10, to: Double = 15, kind: Event.Kind = .fail, perSecond: Int = 10,
    steady: Bool = false, parameters: [String: ParameterValue] = [:]
) -> InvariantResult {
    judge(
        RetryStorm.self,
        HistoryBuilder.history { history in
            if steady {
                history.phase("steady", at: 0)
                history.phase("faults", at: s(10))
            }
            history.fault(0, inject: s(from), heal: s(to))
            for number in 0..<20 * perSecond {
                let at = Double(number) * 1000 / Double(perSecond)
                let inStorm = at >= s(from) && at < s(to)
                if inStorm && steady && number % 10 != 0 { continue }
                history.operation(
                    "append", by: number, from: at, to: at + 1, inStorm ? kind : .ok,
                    completion: Completion(
                        attempts: inStorm
                            ? (1...attempts).map { Attempt(number: $0, outcome: .fail, delayNanoseconds: 1) } : []))
            }
        }, Parameters(parameters))
}

@Test func attemptsUnderTheFactorAreValid() {
    let result = run(attempts: 2)
    #expect(result.verdict == .valid)
    #expect(result.summary == "50 operations retried, at most 2.0 attempts for each in 5 s")
}

@Test func attemptsFromTheFactorOnAreAStorm() {
    let result = run(attempts: 3)
    #expect(result.verdict == .invalid)
    #expect(result.findings.count == 1)
    #expect(result.findings.first?.title == "Retries made 3.0 attempts of each operation")
    #expect(
        result.findings.first?.seen == "150 attempts for 50 operations at the worst, between 10 s and 15 s")
    #expect(result.findings.first?.activeFault == "restart #0 (immediate, down for 2 s)")
    #expect(result.findings.first?.events.count == 1)
    #expect(run(attempts: 3, parameters: ["factor": .count(4)]).verdict == .valid)
}

@Test func shortBurstIsDilutedByItsWindow() {
    #expect(run(attempts: 4, to: 11.9).verdict == .valid)
    #expect(run(attempts: 4, to: 11.9, parameters: ["window": .duration(.seconds(2))]).verdict == .invalid)
}

@Test func fewerAttemptsThanUsualAreNoStorm() {
    // A tenth of the operations, each tried six times: the server sees less than before.
    #expect(run(attempts: 6, perSecond: 20, steady: true).verdict == .valid)
    #expect(run(attempts: 15, perSecond: 20, steady: true).verdict == .invalid)
}

@Test func aHandfulOfAttemptsIsNoStorm() {
    #expect(run(attempts: 9, perSecond: 1).verdict == .valid)
    #expect(run(attempts: 10, perSecond: 1).verdict == .invalid)
}

@Test func withoutAFailureNothingCouldStorm() {
    #expect(
        run(attempts: 1, kind: .ok).summary == "not judged: no operation ever failed, so there was nothing to retry")
    #expect(run(attempts: 1, kind: .fail).verdict == .valid)
    #expect(judge(RetryStorm.self, []).verdict == .unknown)
}
