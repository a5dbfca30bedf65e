package import ConnectionPool

/// The words of PostgreSQL.
package struct PostgresDialect: SQLDialect {
    package init() {}

    package func begin(_ options: TransactionOptions) -> SQLStatement { StandardDialect.begin(options) }

    package var commitInquirer: (any CommitInquirer)? { PostgresCommitInquirer() }

    package var explainer: (any StatementExplainer)? { PostgresExplainer() }

    package var maxParameters: Int { 65_535 }
}

/// `EXPLAIN` without `ANALYZE`: the statement is planned, not run, so it is safe for writes, too. The plan is the one for the
/// statement's own values. Statements without a plan (CREATE TABLE, COPY, …) have none to ask for.
struct PostgresExplainer: StatementExplainer {
    func explain(_ statement: SQLStatement) -> SQLStatement? {
        guard statement.role == .read || statement.role == .write,
            StatementText(text: statement.text).readsOrChangesRows
        else { return nil }
        return SQLStatement("EXPLAIN \(statement.text)", statement.parameters, role: .read)
    }
}

extension PostgresDriver {
    package var dialect: any SQLDialect { PostgresDialect() }
}
