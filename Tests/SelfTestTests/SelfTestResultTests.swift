import RigModel
import Testing

@testable import SelfTest

@Suite struct SelfTestResultTests {
    private func result(_ end: TrialResult.End, invariant: String? = "recovery") -> TrialResult {
        TrialResult(
            name: invariant == nil ? "untouched" : "a-defect", invariant: invariant, scenario: "db-restart", end: end,
            secondsToDetection: end == .good ? 2.25 : nil, took: .seconds(12), words: "words")
    }

    @Test("Zero only when everything was run, every defect was caught and the untouched pool is green")
    func exitCodeTellsTheWorst() {
        let green = result(.good, invariant: nil)
        func code(_ untouched: TrialResult, _ defect: TrialResult, whole: Bool = true) -> Int32 {
            SelfTestResult(untouched: [untouched], defects: [defect], isWhole: whole).exitCode
        }
        #expect(code(green, result(.good)) == 0)
        #expect(code(green, result(.bad)) == 1)
        #expect(code(green, result(.failed)) == 1)
        #expect(code(green, result(.undecided)) == 4)
        #expect(code(result(.bad, invariant: nil), result(.good)) == 1)
        #expect(code(green, result(.good), whole: false) == 4)
    }

    @Test("The JSON has name, invariant, scenario, caught and seconds of each defect")
    func jsonHasTheBindingFields() {
        let json = SelfTestResult(
            untouched: [], defects: [result(.good), result(.undecided)], isWhole: true
        ).json
        let first = json["defects"]?.arrayValue?.first
        #expect(first?["name"] == "a-defect")
        #expect(first?["invariant"] == "recovery")
        #expect(first?["scenario"] == "db-restart")
        #expect(first?["caught"] == true)
        #expect(first?["seconds"]?.doubleValue == 2.25)
        #expect(json["defects"]?.arrayValue?.last?["caught"] == false)
        #expect(json["defects"]?.arrayValue?.last?["seconds"] == .null)
    }

    @Test("The table has a line for each defect, and names what is not good")
    func tableNamesWhatIsNotGood() {
        let text = SelfTestResult(
            untouched: [result(.bad, invariant: nil)], defects: [result(.good), result(.bad)], isWhole: true
        ).text
        #expect(
            text == """
                defect    invariant  scenario    caught  after
                a-defect  recovery   db-restart  yes     2.3 s
                a-defect  recovery   db-restart  no

                untouched: not green: words
                a-defect: no: words

                1 of 2 defects caught; the untouched pool was green in 0 of 1 runs
                """)
    }

    @Test("The untouched pool runs once for defects that ask the same run, and all that they ask is judged there")
    func planJoinsSameRuns() throws {
        func defect(_ name: String, _ trial: Trial) -> Defect {
            Defect(name, .bounds, "", breaks: "timeouts", in: trial, pool: { ChangedGauges { _ in } })
        }
        let plan = TrialRun.plan([
            defect("a", .killed), defect("b", .killed.judging("liveness: {}")), defect("c", .restarted),
        ])
        #expect(plan.defects.map(\.name) == ["a", "b", "c"])
        #expect(plan.untouched.map(\.trial.scenario) == ["kill-connections", "db-restart"])
        #expect(plan.untouched.first?.trial.invariants == ["liveness: {}"])
        #expect(plan.untouched.allSatisfy { $0.defect == nil })
    }
}
