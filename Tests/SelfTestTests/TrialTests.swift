import Testing

@testable import SelfTest

@Suite struct TrialTests {
    @Test("The overrides of a trial end with its invariants, those of every trial and its own")
    func overridesEndWithInvariants() throws {
        let trial = Trial.killed.judging("max-open-connections: {}")
        let last = try #require(trial.overrides.last)
        #expect(last.hasPrefix("invariants={zero-leaked-connections: {}, recovery: "))
        #expect(last.hasSuffix(", max-open-connections: {}}"))
    }

    @Test("The untouched pool is judged by all that defects ask, each invariant in one way in a run")
    func untouchedPoolIsJudgedInValidScenarios() throws {
        let all = DefectCatalogue.all
        let untouched = TrialRun.plan(all).untouched.map(\.trial)
        for defect in all {
            let run = untouched.first {
                $0.scenario == defect.trial.scenario && Set(defect.trial.invariants).isSubset(of: $0.invariants)
            }
            #expect(run != nil, "\(defect.name)")
        }
        for trial in untouched {
            let names = trial.invariants.map { $0.prefix { $0 != ":" } }
            #expect(Set(names).count == names.count, "\(names)")
        }
    }
}
