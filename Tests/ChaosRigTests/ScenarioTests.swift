import ChaosRig
import Foundation
import Testing

@Suite struct ScenarioTests {
    @Test func swiftValuesAndYAMLMakeTheSameScenario() throws {
        let code = try RigScenario(
            name: "same", pool: ["max-open": 8, "acquire-timeout": .duration(.milliseconds(1_500))],
            workload: ["clients": 16, "rate": "200/s", "mix": ["append": 60, "read": 40]],
            phases: ["faults": "4s"],
            faults: [ScenarioFault("restart", ["down-for": "1s"], at: .seconds(1))],
            invariants: ["recovery": ["within": "5s"], "zero-leaked-connections": [:]])
        let text = try RigScenario(
            yaml: """
                name: same
                target: {postgres: managed}
                pool: {max-open: 8, acquire-timeout: 1500ms}
                workload: {clients: 16, rate: 200/s, mix: {append: 60, read: 40}}
                phases: {faults: 4s}
                faults:
                  - restart: {down-for: 1s}
                    at: 1s
                invariants:
                  recovery: {within: 5s}
                  zero-leaked-connections: {}
                """)
        #expect(code == text)
        #expect(code.name == "same")
    }

    @Test func aMistakeInCodeNamesTheLineAndTheKey() {
        // Not inside the macro, whose own line would be the line then.
        let line = #line + 1
        let made = Result { try RigScenario(name: "wrong", pool: ["max-opne": 8], workload: ["mix": ["append": 1]]) }
        let error = #expect(throws: RigError.self) { try made.get() }
        #expect(error?.description.contains("ScenarioTests.swift:\(line): unknown key \"max-opne\"") == true)
        #expect(error?.description.contains("max-open") == true)
    }

    @Test func aMistakeInYAMLNamesLineAndColumn() {
        let error = #expect(throws: RigError.self) {
            try RigScenario(yaml: "target: {postgres: managed}\nworkload:\n  clients: none\n  mix: {append: 1}\n")
        }
        #expect(error?.description.contains("ScenarioTests.swift") == true)
        #expect(error?.description.contains(":3:12: ") == true)
    }

    @Test func aFileIsFoundBesideTheSourceFile() {
        let error = #expect(throws: RigError.self) { try RigScenario(file: "nowhere/missing.yaml") }
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
        #expect(error?.description.hasPrefix("\(folder)/nowhere/missing.yaml: cannot be read") == true)
    }

    @Test func changesApplyToAFile() throws {
        let file = "../../faults/db-restart.yaml"
        #expect(try RigScenario(file: file) != RigScenario(file: file, set: ["pool.max-open=20"]))
    }
}
