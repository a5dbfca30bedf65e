/// Where something in a scenario stands: in the file, or in a `--set`.
package struct SourcePosition: Sendable, Hashable, Comparable {
    /// From 1; 0 for the file as a whole.
    package var line: Int
    package var column: Int
    /// The `--set` argument that it came from, instead of the file.
    package var override: String?

    package init(line: Int, column: Int, override: String? = nil) {
        self.line = line
        self.column = column
        self.override = override
    }

    static let wholeFile = SourcePosition(line: 0, column: 0)

    package static func < (a: SourcePosition, b: SourcePosition) -> Bool {
        (a.override ?? "", a.line, a.column) < (b.override ?? "", b.line, b.column)
    }
}

/// One thing that is wrong with a scenario.
package struct ScenarioProblem: Sendable, Hashable {
    package var position: SourcePosition
    /// What was expected, what was seen, what to do.
    package var message: String
}

/// Everything that is wrong with a scenario file, in the order of the file. Nothing was started.
package struct ScenarioErrors: Error, Sendable, CustomStringConvertible {
    package var file: String
    package var problems: [ScenarioProblem]

    init(file: String, problems: [ScenarioProblem]) {
        self.file = file
        self.problems = problems.sorted { ($0.position, $0.message) < ($1.position, $1.message) }
    }

    /// One line per problem: `file:line:column: message`.
    package var description: String {
        problems.map { problem in
            if let override = problem.position.override { return "--set \(override): \(problem.message)" }
            if problem.position.line == 0 { return "\(file): \(problem.message)" }
            return "\(file):\(problem.position.line):\(problem.position.column): \(problem.message)"
        }.joined(separator: "\n")
    }
}

/// Collects problems, so that one look at a file tells all of them.
final class ProblemLog {
    private(set) var problems: [ScenarioProblem] = []

    func add(_ position: SourcePosition, _ message: String) {
        let problem = ScenarioProblem(position: position, message: Self.oneLine(message))
        if !problems.contains(problem) { problems.append(problem) }
    }

    /// Texts of the file stand in messages, and may have line feeds and other control characters.
    private static func oneLine(_ message: String) -> String {
        guard message.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            return message
        }
        return message.unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control ? scalar.escaped(asASCII: true) : String(scalar)
        }.joined()
    }
}
