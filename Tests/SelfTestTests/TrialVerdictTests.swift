import HostSystem
import RigModel
import Testing

@testable import SelfTest

@Suite struct TrialVerdictTests {
    private let defect = TrialRun(
        defect: DefectCatalogue.all.first { $0.invariant == "recovery" }, trial: .killed)
    private let untouched = TrialRun(defect: nil, trial: .killed)

    private func report(_ verdict: String, findings: JSONValue = []) -> JSONValue {
        [
            "verdict": .string(verdict),
            "invariants": [
                ["name": "timeouts", "verdict": "valid", "summary": "fine", "findings": []],
                ["name": "recovery", "verdict": .string(verdict), "summary": "so it was", "findings": findings],
            ],
            "notes": ["a note"],
        ]
    }

    private func read(_ report: JSONValue, of run: TrialRun) -> TrialResult {
        TrialVerdict.read(report, of: run, took: .seconds(9)) { event in event == 7 ? 3.5 : event == 2 ? 1 : nil }
    }

    @Test("A red invariant catches its defect, when the last event of the first finding has happened")
    func redInvariantCatches() {
        let findings: JSONValue = [
            ["title": "late", "events": [2, 9], "at_s": 6.0], ["title": "early", "events": [2, 7], "at_s": 1.0],
        ]
        let result = read(report("invalid", findings: findings), of: defect)
        #expect(result.end == .good)
        #expect(result.secondsToDetection == 3.5)
        #expect(result.red == ["recovery"])
        #expect(result.words == "recovery: late")
    }

    @Test("A defect that names its finding is not caught by another one of the same invariant")
    func otherFindingMisses() {
        let named = TrialRun(
            defect: Defect(
                "named", .bounds, "", breaks: "recovery", by: "connections are missing", in: .killed,
                pool: { ChangedGauges { _ in } }),
            trial: .killed)
        let other: JSONValue = [["title": "Late", "events": [2], "at_s": 1.0]]
        let missed = read(report("invalid", findings: other), of: named)
        #expect(missed.end == .bad)
        #expect(missed.words == "red for another reason than \"connections are missing\": recovery: Late")
        let both: JSONValue = [
            ["title": "Late", "events": [2], "at_s": 1.0], ["title": "3 connections are missing", "events": [7]],
        ]
        let caught = read(report("invalid", findings: both), of: named)
        #expect(caught.end == .good && caught.secondsToDetection == 3.5)
        #expect(caught.words == "recovery: 3 connections are missing")
    }

    @Test("A run that ended in another way than with a verdict is none, whatever it had reported by then")
    func otherEndsAreNoVerdict() {
        for code: Int32 in [0, 1, 4] { #expect(TrialVerdict.isJudged(.exited(code))) }
        for end: ProcessEnd in [.exited(2), .exited(3), .exited(5), .exited(70), .exited(130), .signalled(9), .unknown]
        {
            #expect(!TrialVerdict.isJudged(end), "\(end)")
        }
    }

    @Test("A green invariant has missed its defect, and one that could not judge is undecided")
    func greenInvariantMisses() {
        #expect(read(report("valid"), of: defect).end == .bad)
        #expect(read(report("unknown"), of: defect).end == .undecided)
        #expect(read(["invariants": []], of: defect).end == .failed)
    }

    @Test("The untouched pool is good only where everything is green")
    func untouchedPoolMustBeGreen() {
        #expect(read(report("valid"), of: untouched).end == .good)
        #expect(read(report("invalid"), of: untouched).end == .bad)
        #expect(read(report("unknown"), of: untouched).end == .undecided)
        #expect(read(report("unknown"), of: untouched).words == "recovery: so it was; a note")
    }
}
