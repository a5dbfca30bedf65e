package import ConnectionPool

/// Asks the server how it would run a statement, without running it.
package enum StatementPlan {
    /// The statement that answers with the plan, a line per row; `nil` when the statement has none (BEGIN, CREATE TABLE, …).
    ///
    /// With its parameters the plan is the one for these values. When the values are not known, give them as `nil`: the plan is
    /// then the one for any values, which servers from 16 on can show.
    ///
    /// - Parameters:
    ///   - text: the statement.
    ///   - parameters: its values; `nil` when they are not known.
    ///   - serverVersion: see ``PostgresConnection/serverVersion``.
    package static func explain(
        _ text: String, _ parameters: [SQLValue]?, serverVersion: Int
    ) -> SQLStatement? {
        guard StatementText(text: text).readsOrChangesRows else { return nil }
        if let parameters { return SQLStatement("EXPLAIN " + text, parameters, role: .read) }
        if !text.utf8.contains(UInt8(ascii: "$")) { return SQLStatement("EXPLAIN " + text, role: .read) }
        return serverVersion >= 160_000 ? SQLStatement("EXPLAIN (GENERIC_PLAN) " + text, role: .read) : nil
    }

    /// The plan in the answer, in lines.
    package static func text(in result: SQLResult) -> String {
        result.rows.compactMap { $0.first?.textValue }.joined(separator: "\n")
    }
}
