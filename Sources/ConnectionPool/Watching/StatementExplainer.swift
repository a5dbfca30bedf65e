/// How to ask a database for the plan of a statement, without running it.
public protocol StatementExplainer: Sendable {
    /// The statement that asks; `nil` for one that cannot be explained, or not without running it.
    func explain(_ statement: SQLStatement) -> SQLStatement?

    /// The plan in the answer, in lines.
    func plan(in result: SQLResult) -> String
}

extension StatementExplainer {
    /// The first column of each row that is text: what PostgreSQL answers.
    public func plan(in result: SQLResult) -> String {
        result.rows.compactMap { $0.first?.textValue }.joined(separator: "\n")
    }
}
