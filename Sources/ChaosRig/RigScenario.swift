import Foundation
import Orchestrator
import RigModel
import ScenarioFile

/// What is tried: a target, limits of the pool, a workload, faults, and the invariants that must hold. A value; making one starts
/// nothing.
///
/// From a file, from YAML in the code, or from Swift values: all three are read by the same rules (docs/scenario.md).
public struct RigScenario: Sendable, Equatable {
    let scenario: Scenario

    public var name: String { scenario.name }

    /// Reads a scenario file.
    ///
    /// - Parameters:
    ///   - path: absolute, or relative to the folder of the source file that calls this.
    ///   - changes: `path=value` each, as with `chaosrig run --set`: `pool.max-open=5`.
    /// - Throws: ``RigError/scenario(_:)`` with everything that is wrong.
    public init(file path: String, set changes: [String] = [], relativeTo source: String = #filePath) throws {
        let folder = URL(fileURLWithPath: source).deletingLastPathComponent()
        let whole = path.hasPrefix("/") ? path : folder.appendingPathComponent(path).standardizedFileURL.path
        do throws(ScenarioErrors) {
            scenario = try ScenarioLoader(catalogue: Catalogue.scenario).load(
                path: whole, overrides: changes, environment: ProcessInfo.processInfo.environment)
        } catch {
            throw RigError.scenario(error.description)
        }
    }

    /// Reads a scenario from YAML text.
    ///
    /// - Parameters:
    ///   - yaml: as in a scenario file.
    ///   - name: where the text gives none.
    /// - Throws: ``RigError/scenario(_:)`` with everything that is wrong; lines are counted in the text.
    public init(yaml: String, name: String = "scenario", file: StaticString = #fileID, line: UInt = #line) throws {
        do throws(ScenarioErrors) {
            scenario = try ScenarioLoader(catalogue: Catalogue.scenario).load(
                Array(yaml.utf8), file: "\(file) (YAML of line \(line))", defaultName: name,
                environment: ProcessInfo.processInfo.environment)
        } catch {
            throw RigError.scenario(error.description)
        }
    }

    /// Makes a scenario of Swift values. What is left out has the same defaults as in a file.
    ///
    /// - Parameters:
    ///   - name: letters, digits, `-`, `_` and `.`; names the folder of its runs.
    ///   - target: a private PostgreSQL server by default.
    ///   - workload: at least `mix`: kinds of operations and their weights.
    ///   - invariants: names and parameters; `nil`: the usual ones.
    /// - Throws: ``RigError/scenario(_:)`` with everything that is wrong.
    public init(
        name: String, target: ScenarioValue = ["postgres": "managed"], pool: ScenarioValue = [:],
        workload: ScenarioValue, phases: ScenarioValue = [:], faults: [ScenarioFault] = [],
        invariants: ScenarioValue? = nil, file: StaticString = #fileID, line: UInt = #line
    ) throws {
        var members: [JSONValue.Member] = [
            .init("name", .string(name)), .init("target", target.json), .init("pool", pool.json),
            .init("workload", workload.json), .init("phases", phases.json),
            .init("faults", .array(faults.map(\.json))),
        ]
        if let invariants { members.append(.init("invariants", invariants.json)) }
        do throws(ScenarioErrors) {
            // JSON is YAML: there is one way to read a scenario, and one set of rules.
            scenario = try ScenarioLoader(catalogue: Catalogue.scenario).load(
                Array(JSONValue.object(members).compactText.utf8), file: "\(file)", defaultName: name,
                environment: ProcessInfo.processInfo.environment)
        } catch {
            // Lines and columns of that text tell nobody anything; each message names its key.
            throw RigError.scenario(error.problems.map { "\(file):\(line): \($0.message)" }.joined(separator: "\n"))
        }
    }
}
