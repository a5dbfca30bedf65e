package import ConnectionPool

/// The words of PostgreSQL.
package struct PostgresDialect: SQLDialect {
    package init() {}

    package func begin(_ options: TransactionOptions) -> SQLStatement { StandardDialect.begin(options) }

    package var commitInquirer: (any CommitInquirer)? { PostgresCommitInquirer() }

    package var explainer: (any StatementExplainer)? { PostgresExplainer() }

    package var maxParameters: Int { 65_535 }
}

/// `EXPLAIN` without `ANALYZE`: the statement is planned, not run, so it is safe for writes, too.
struct PostgresExplainer: StatementExplainer {
    func explain(_ statement: SQLStatement) -> SQLStatement? {
        guard statement.role == .read || statement.role == .write else { return nil }
        return SQLStatement("EXPLAIN \(statement.text)", statement.parameters, role: .read)
    }
}

extension PostgresDriver {
    package var dialect: any SQLDialect { PostgresDialect() }
}
