import Foundation
import HostSystem
import RigModel
import RigTestSupport
import Testing

/// Each kind of fault lands on the real thing and is healed, and says so where it cannot land.
@Suite(.timeLimit(.minutes(30)))
struct FaultCaseSuite {
    @Test("The fault lands, is healed, and the pool comes through", arguments: FaultCase.all)
    func lands(_ fault: FaultCase) async throws {
        let result = try await run(fault, fault.scenario(fault.lands, target: fault.target, pool: fault.pool))
        #expect(result.exitCode == 0, "\(result.output)\n\(result.errors)")
        let faults = try #require(result.report?["faults"]?.arrayValue, "\(result.output)\n\(result.errors)")
        #expect(!faults.isEmpty && faults.allSatisfy { $0["kind"]?.stringValue == fault.kind })
        for entry in faults {
            #expect(entry["landed"] == true && entry["evidence"] != .null, "\(entry.prettyText)")
            #expect(entry["healed_at_s"]?.doubleValue != nil, "\(entry.prettyText)")
        }
    }

    @Test("A fault that cannot land makes the run inconclusive, with the reason", arguments: FaultCase.all)
    func cannotLand(_ fault: FaultCase) async throws {
        let result = try await run(
            fault,
            fault.scenario(
                fault.cannotLand, target: fault.otherTarget ?? fault.target, pool: fault.otherPool ?? fault.pool,
                mix: fault.otherMix))
        #expect(result.exitCode == 4, "\(result.output)\n\(result.errors)")
        let faults = try #require(result.report?["faults"]?.arrayValue, "\(result.output)\n\(result.errors)")
        #expect(!faults.isEmpty && faults.allSatisfy { $0["landed"] == false })
        for entry in faults {
            #expect(entry["evidence"]?["reason"]?.stringValue?.isEmpty == false, "\(entry.prettyText)")
        }
    }

    @Test("Every kind has a case here and a shipped scenario, which names it")
    func everyKindIsTried() async throws {
        let listed = try await Rig.command(["list", "faults", "--json"])
        let kinds = try #require(try JSONValue(parsing: listed.output).arrayValue).compactMap {
            $0["name"]?.stringValue
        }
        #expect(Set(kinds).subtracting(FaultCase.all.map(\.kind) + FaultCase.ofContainers) == [], "without a case")
        let folder = Rig.root + "/faults"
        let shipped = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".yaml") }
        let texts = try shipped.map { try String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8) }
        let unnamed = kinds.filter { kind in !texts.contains { $0.contains(" \(kind):") || $0.contains("{\(kind):") } }
        #expect(unnamed == [], "without a shipped scenario")
    }

    @Test("docs/faults.md says what the program says of its faults")
    func theReferenceIsInStep() async throws {
        let printed = try await Rig.command(["list", "faults", "--markdown"])
        let document = try String(contentsOfFile: Rig.root + "/docs/faults.md", encoding: .utf8)
        let marker = "<!-- from here on: chaosrig list faults --markdown -->\n\n"
        let start = try #require(document.range(of: marker)).upperBound
        #expect(document[start...] == printed.output, "write what the program prints below the marker")
    }

    private func run(_ fault: FaultCase, _ text: String) async throws -> Rig.Result {
        await FaultLanes.shared.enter()
        let folder = try TemporaryFolder()
        let result: Rig.Result
        do {
            let file = folder.path + "/case-\(fault.kind).yaml"
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            result = try await Rig.run(file: file, name: "case-\(fault.kind)")
        } catch {
            await FaultLanes.shared.leave()
            throw error
        }
        await FaultLanes.shared.leave()
        return result
    }
}
