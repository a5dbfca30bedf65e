/// What differs between databases in words, not in calls. A driver supplies it, so that the pool knows no database.
public protocol SQLDialect: Sendable {
    /// The statement that opens a transaction.
    func begin(_ options: TransactionOptions) -> SQLStatement

    /// How to learn what became of a COMMIT whose answer was lost; `nil` where nobody can know.
    var commitInquirer: (any CommitInquirer)? { get }

    /// How to ask for the plan of a statement; `nil` where there is none.
    var explainer: (any StatementExplainer)? { get }

    /// Parameters that one statement may have.
    var maxParameters: Int { get }
}

extension SQLDialect {
    public var commitInquirer: (any CommitInquirer)? { nil }

    public var explainer: (any StatementExplainer)? { nil }
}

/// The words of the SQL standard, as PostgreSQL has them too.
public struct StandardDialect: SQLDialect {
    public init() {}

    public func begin(_ options: TransactionOptions) -> SQLStatement { Self.begin(options) }

    /// A 16-bit count in PostgreSQL's Bind message.
    public var maxParameters: Int { 65_535 }

    /// `BEGIN`, with the modes that the options name.
    public static func begin(_ options: TransactionOptions) -> SQLStatement {
        var modes: [String] = []
        if let isolation = options.isolation { modes.append("ISOLATION LEVEL \(isolation.rawValue)") }
        if options.isReadOnly { modes.append("READ ONLY") }
        if options.isDeferrable { modes.append("DEFERRABLE") }
        let text = modes.isEmpty ? "BEGIN" : "BEGIN " + modes.joined(separator: ", ")
        return SQLStatement(text, role: .begin)
    }
}
