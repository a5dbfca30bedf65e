/// What a transaction sees of others that run beside it.
public enum IsolationLevel: String, Sendable, CaseIterable {
    case readCommitted = "READ COMMITTED"
    case repeatableRead = "REPEATABLE READ"
    case serializable = "SERIALIZABLE"
}

/// How a transaction begins. What is not said is left to the database's default.
public struct TransactionOptions: Sendable, Equatable {
    public var isolation: IsolationLevel?
    public var isReadOnly: Bool
    /// A serializable read-only transaction that waits at its beginning until it can no longer fail or make others fail.
    public var isDeferrable: Bool

    public init(isolation: IsolationLevel? = nil, isReadOnly: Bool = false, isDeferrable: Bool = false) {
        self.isolation = isolation
        self.isReadOnly = isReadOnly
        self.isDeferrable = isDeferrable
    }
}
