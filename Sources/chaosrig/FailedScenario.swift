import Reporting
import RigModel
import ScenarioFile

/// A scenario that could not run: what stands in the place of its report, wherever reports go.
struct FailedScenario {
    /// One thing that is wrong, and where.
    struct Problem {
        /// In the scenario file, from 1.
        var line = 1
        let text: String
    }

    /// As the user named it.
    let file: String
    let scenario: String
    let reason: String
    let problems: [Problem]
    let exitCode: Int32

    init(file: String, scenario: String, reason: String, exitCode: Int32) {
        self.file = file
        self.scenario = scenario
        self.reason = reason
        problems = [Problem(text: reason)]
        self.exitCode = exitCode
    }

    /// One that cannot be read, and so has no name but its file's.
    init(file: String, _ errors: ScenarioErrors) {
        self.file = file
        scenario = ScenarioFiles.name(file)
        reason = errors.description
        problems = errors.problems.map { problem in
            let place = problem.position.override.map { "--set \($0): " } ?? ""
            let isInFile = place.isEmpty && problem.position.line > 0
            return Problem(line: isInFile ? problem.position.line : 1, text: place + problem.message)
        }
        exitCode = 2
    }

    var json: JSONValue {
        ["scenario": .string(scenario), "error": .string(reason), "exit_code": JSONValue(exitCode)]
    }

    var junit: JUnit.Run { .failed(scenario: scenario, reason: reason) }
}
