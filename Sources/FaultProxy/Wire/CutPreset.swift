package import RigModel

/// A well-known cut point under a name. A value.
package struct CutPreset: Sendable, Equatable {
    package let name: String
    package let summary: String
    /// The keys of ``CutRule/init(json:)``.
    package let members: [JSONValue.Member]

    private init(_ name: String, _ summary: String, _ members: [(String, JSONValue)]) {
        self.name = name
        self.summary = summary
        self.members = members.map { JSONValue.Member($0.0, $0.1) }
    }

    package static let all = [
        CutPreset(
            "lost-commit", "COMMIT was sent and done, its answer is lost",
            [("at", "before"), ("message", "CommandComplete"), ("tag", "COMMIT"), ("action", "reset")]),
        CutPreset(
            "between-parse-and-bind", "the server has Parse, and nothing of what follows",
            [("at", "after"), ("message", "Parse"), ("action", "reset")]),
        CutPreset(
            "during-authentication", "the server's first word on authentication is lost",
            [("at", "before"), ("message", "Authentication"), ("action", "reset")]),
        CutPreset(
            "inside-data-row", "half of a DataRow comes",
            [("at", "inside"), ("message", "DataRow"), ("action", "reset")]),
        CutPreset(
            "cancel-connection", "the cancel request never reaches the server",
            [("at", "before"), ("message", "CancelRequest"), ("action", "reset")]),
    ]

    package init(named name: String) throws(CutRuleError) {
        guard let found = Self.all.first(where: { $0.name == name }) else {
            let names = Self.all.map(\.name)
            let nearest = NearestName.of(name, in: names)
            throw CutRuleError(
                "preset",
                "\"\(name)\" is none of \(names.joined(separator: ", "))"
                    + (nearest.map { "; did you mean \($0)?" } ?? ""))
        }
        self = found
    }

    /// The rule of the preset as it is.
    package func rule() throws(CutRuleError) -> CutRule { try CutRule(json: .object(members)) }
}
