import CLibPQ

/// A connection URL (or a `key=value` string) taken apart by libpq itself.
struct ConnectionString: Sendable {
    /// What the string says, by libpq keyword. Nothing from the environment.
    var values: [String: String]
    /// The keywords whose values must not be shown (`password`, `sslpassword`).
    let secretKeywords: Set<String>

    init(_ text: String) throws(PostgresConfigurationError) {
        var complaint: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(text, &complaint) else {
            defer { PQfreemem(complaint) }
            throw PostgresConfigurationError(
                Self.unknownParameter(in: text)
                    ?? Self.withoutQuotations(complaint.map { String(cString: $0) } ?? "out of memory"))
        }
        defer { PQconninfoFree(options) }
        (values, secretKeywords) = (
            [:], Set(Self.keywords(of: options, where: { $0.pointee.dispchar.map { String(cString: $0) } == "*" }))
        )
        forEach(options) { keyword, value in values[keyword] = value }
    }

    /// What libpq takes for `keyword` when a string does not say it: from the environment or a service file.
    static func defaultValue(of keyword: String) -> String? {
        guard let options = PQconndefaults() else { return nil }
        defer { PQconninfoFree(options) }
        var found: String?
        forEach(options) { if $0 == keyword { found = $1 } }
        return found
    }

    /// Removes what libpq quotes: it may be a piece of a password that was not percent-encoded.
    static func withoutQuotations(_ text: String) -> String {
        text.replacing(#/"[^"]*"/#, with: "\"…\"").replacing(#/".*\n/#, with: "…").trimmingLineEnds()
    }

    /// The complaint about a query parameter that libpq does not know. A name in front of `=` is no secret.
    private static func unknownParameter(in text: String) -> String? {
        guard text.contains("://"), let query = text.split(separator: "?", maxSplits: 1).dropFirst().first,
            let options = PQconndefaults()
        else { return nil }
        defer { PQconninfoFree(options) }
        let known = Set(keywords(of: options) { _ in true })
        for pair in query.split(separator: "&") {
            guard let name = pair.firstMatch(of: #/^([a-z_]+)=/#)?.1, name != "ssl", !known.contains(String(name))
            else {
                continue
            }
            return "libpq knows no parameter named \(name)"
        }
        return nil
    }

    private static func keywords(
        of options: UnsafeMutablePointer<PQconninfoOption>,
        where isWanted: (UnsafeMutablePointer<PQconninfoOption>) -> Bool
    ) -> [String] {
        var found: [String] = []
        var option = options
        while let keyword = option.pointee.keyword {
            if isWanted(option) { found.append(String(cString: keyword)) }
            option += 1
        }
        return found
    }
}

/// Calls `body` with each keyword that has a value.
private func forEach(_ options: UnsafeMutablePointer<PQconninfoOption>, _ body: (String, String) -> Void) {
    var option = options
    while let keyword = option.pointee.keyword {
        if let value = option.pointee.val { body(String(cString: keyword), String(cString: value)) }
        option += 1
    }
}

extension String {
    /// The text in one line, without spaces at its ends: libpq ends its messages with line feeds.
    func trimmingLineEnds() -> String {
        split(whereSeparator: \.isNewline).map { line in
            String(line.drop { $0 == " " || $0 == "\t" })
        }.joined(separator: "; ")
    }
}
