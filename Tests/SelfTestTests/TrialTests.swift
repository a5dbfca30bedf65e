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
}
