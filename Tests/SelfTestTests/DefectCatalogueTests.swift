import Foundation
import Orchestrator
import RigModel
import ScenarioFile
import Testing

@testable import SelfTest

@Suite struct DefectCatalogueTests {
    @Test("There are at least forty defects, of every family, each with a name of its own")
    func fortyDefectsOfEveryFamily() {
        let names = DefectCatalogue.all.map(\.name)
        #expect(names.count >= 40)
        #expect(Set(names).count == names.count)
        #expect(Set(DefectCatalogue.all.map(\.family)) == Set(Defect.Family.allCases))
    }

    @Test("Cancellation has the largest family, as among real bugs")
    func cancellationHasTheLargestFamily() {
        let sizes = Dictionary(grouping: DefectCatalogue.all, by: \.family).mapValues(\.count)
        #expect(sizes.max { $0.value < $1.value }?.key == .cancellation)
    }

    @Test("Every invariant has a defect that it must find")
    func everyInvariantHasADefect() {
        let broken = Set(DefectCatalogue.all.map(\.invariant))
        #expect(Catalogue.scenario.invariants.map(\.name).filter { !broken.contains($0) } == [])
    }

    @Test("Each trial is a valid scenario that judges the invariant of its defect", arguments: DefectCatalogue.all)
    func trialJudgesTheInvariant(_ defect: Defect) throws {
        let scenario = try ScenarioLoader(catalogue: Catalogue.scenario).load(
            path: "\(Self.scenarios)/\(defect.trial.scenario).yaml", overrides: defect.trial.overrides, environment: [:]
        )
        #expect(scenario.invariants.map(\.name).contains(defect.invariant))
        #expect(!scenario.faults.isEmpty)
    }

    @Test("The short form has a dozen defects of at least eight invariants")
    func shortFormIsRepresentative() {
        let short = DefectCatalogue.all.filter(\.isInShort)
        #expect((12...15).contains(short.count))
        #expect(Set(short.map(\.invariant)).count >= 8)
    }

    private static var scenarios: String {
        var url = URL(fileURLWithPath: #filePath)
        for _ in 1...3 { url.deleteLastPathComponent() }
        return url.appendingPathComponent("faults").path
    }
}

extension Defect: CustomTestStringConvertible {
    public var testDescription: String { name }
}
