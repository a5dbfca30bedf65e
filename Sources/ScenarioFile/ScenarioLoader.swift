import Foundation
import RigModel

/// Reads scenario files. Starts nothing.
package struct ScenarioLoader: Sendable {
    private static let sizeLimitBytes = 1 << 20

    private let catalogue: ScenarioCatalogue

    package init(catalogue: ScenarioCatalogue) { self.catalogue = catalogue }

    /// Reads a file, changes it by the overrides, and resolves everything.
    ///
    /// - Parameters:
    ///   - overrides: `path=value`, in order; see ``ScenarioOverride``.
    ///   - environment: for `${VAR}`.
    /// - Throws: ``ScenarioErrors`` with every problem that could be found at once.
    package func load(
        path: String, overrides: [String] = [], environment: [String: String]
    ) throws(ScenarioErrors) -> Scenario {
        let bytes = try Self.read(path)
        let file = (path as NSString).lastPathComponent
        let stem = (file as NSString).deletingPathExtension
        return try load(bytes, file: path, defaultName: stem, overrides: overrides, environment: environment)
    }

    /// The same from bytes.
    ///
    /// - Parameters:
    ///   - file: for messages.
    ///   - defaultName: the scenario's name where it gives none.
    package func load(
        _ bytes: [UInt8], file: String, defaultName: String, overrides: [String] = [],
        environment: [String: String] = [:]
    ) throws(ScenarioErrors) -> Scenario {
        let log = ProblemLog()
        var root: YAMLNode
        do throws(YAMLProblem) {
            root = try YAMLParser.parse(bytes)
            for override in overrides { root = try ScenarioOverride(override).apply(to: root) }
        } catch {
            throw ScenarioErrors(file: file, problems: [error.problem])
        }
        root = VariableExpansion.expand(root, environment, log)
        let scenario = ScenarioSections(catalogue: catalogue, log: log)
            .scenario(root, defaultName: defaultName, summary: Self.headerComment(bytes))
        guard log.problems.isEmpty, let scenario else { throw ScenarioErrors(file: file, problems: log.problems) }
        return scenario
    }

    private static func read(_ path: String) throws(ScenarioErrors) -> [UInt8] {
        func refuse(_ message: String) -> ScenarioErrors {
            ScenarioErrors(file: path, problems: [ScenarioProblem(position: .wholeFile, message: message)])
        }
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw refuse("cannot be read: \(String(cString: strerror(errno)))")
        }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw refuse("is a folder; a scenario file was expected") }
        guard status.st_size <= sizeLimitBytes else {
            throw refuse("has \(status.st_size) bytes; a scenario has at most \(sizeLimitBytes)")
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw refuse("cannot be read: \(String(cString: strerror(errno)))")
        }
        guard data.count <= sizeLimitBytes else {
            throw refuse("has more than \(sizeLimitBytes) bytes; a scenario is smaller")
        }
        return Array(data)
    }

    /// The comment lines at the head of the file, as one text.
    private static func headerComment(_ bytes: [UInt8]) -> String {
        var words: [Substring] = []
        let text = String(decoding: bytes, as: UTF8.self)
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            guard line.hasPrefix("#") else { break }
            let comment = line.drop { $0 == "#" || $0 == " " }
            // For editors, not for people.
            if !comment.hasPrefix("yaml-language-server:") { words.append(comment) }
        }
        return words.joined(separator: " ").trimmingCharacters(in: .whitespaces)
    }
}
