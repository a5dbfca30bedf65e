import HostSystem
package import RigModel

/// JSON Schema as somebody else understands it: Debian's python3-jsonschema (`scripts/install-missing validators`).
package struct SchemaValidator {
    private let folder: TemporaryFolder
    private var schema: String { folder.file("schema.json") }

    /// - Throws: when the schema cannot be stored.
    package init(_ schema: JSONValue) throws {
        folder = try TemporaryFolder()
        try SmallFile.write(Array(schema.compactText.utf8), to: folder.file("schema.json"))
    }

    /// Judges documents.
    ///
    /// - Parameter ending: `yaml` or `json`.
    /// - Returns: for each document `nil`, or what is wrong with it.
    /// - Throws: when the validator is not there, or refuses the schema itself.
    package func complaints(
        about documents: [String], ending: String = "yaml", as reader: Reader = .editor
    ) async throws -> [String?] {
        var paths: [String] = []
        for (index, document) in documents.enumerated() {
            let path = folder.file("\(index).\(ending)")
            try SmallFile.write(Array(document.utf8), to: path)
            paths.append(path)
        }
        return try await complaints(aboutFiles: paths, as: reader)
    }

    /// How YAML is read.
    package enum Reader: Sendable {
        /// As editors read it: YAML 1.2, and a date is a text.
        case editor
        /// As PyYAML reads it, and many a script with it: YAML 1.1, in which a key `on` is a boolean.
        case yaml11
    }

    /// The same for files.
    package func complaints(aboutFiles paths: [String], as reader: Reader = .editor) async throws -> [String?] {
        let script = Repository.root + "/Tests/Fixtures/validators/validate.py"
        let result = try await runProgram(
            path: "/usr/bin/env", arguments: ["python3", script, schema] + (reader == .yaml11 ? ["--yaml-1.1"] : []),
            timeout: .seconds(300),
            standardInput: Array(paths.map { $0 + "\n" }.joined().utf8))
        let lines = result.standardOutput.split(separator: "\n")
        guard result.exitCode == 0, lines.count == paths.count else {
            throw SchemaValidatorError(
                "validate.py judged \(lines.count) of \(paths.count) documents (scripts/install-missing validators?): "
                    + result.standardError)
        }
        return lines.map { $0 == "ok" ? nil : String($0) }
    }
}

/// Why no verdict was to be had.
package struct SchemaValidatorError: Error, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}

/// Where the tests' own files are.
package enum Repository {
    /// Absolute path.
    package static let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
}
