package import ConnectionPool

/// The words of SQLite.
package struct SQLiteDialect: SQLDialect {
    package init() {}

    /// SQLite transactions are serializable always. One that will write takes the write lock at once: a reader that turns
    /// into a writer later fails with SQLITE_BUSY, and waiting does not help it (<https://sqlite.org/lang_transaction.html>).
    package func begin(_ options: TransactionOptions) -> SQLStatement {
        SQLStatement(options.isReadOnly ? "BEGIN DEFERRED" : "BEGIN IMMEDIATE", role: .begin)
    }

    /// SQLITE_MAX_VARIABLE_NUMBER since 3.32.0 (<https://sqlite.org/limits.html>).
    package var maxParameters: Int { 32_766 }

    package var explainer: (any StatementExplainer)? { SQLiteExplainer() }
}

/// `EXPLAIN QUERY PLAN`: rows of id, parent, a number without meaning, and what is done.
struct SQLiteExplainer: StatementExplainer {
    func explain(_ statement: SQLStatement) -> SQLStatement? {
        guard statement.role == .read || statement.role == .write else { return nil }
        return SQLStatement("EXPLAIN QUERY PLAN \(statement.text)", statement.parameters, role: .read)
    }

    func plan(in result: SQLResult) -> String {
        var depths: [Int64: Int] = [:]
        return result.rows.compactMap { row -> String? in
            guard row.count >= 4, let id = row[0].intValue, let text = row[3].textValue else { return nil }
            let depth = row[1].intValue.flatMap { depths[$0] }.map { $0 + 1 } ?? 0
            depths[id] = depth
            return String(repeating: "  ", count: depth) + text
        }.joined(separator: "\n")
    }
}

extension SQLiteDriver {
    package var dialect: any SQLDialect { SQLiteDialect() }
}
