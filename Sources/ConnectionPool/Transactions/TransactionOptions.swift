/// What a transaction sees of others that run beside it.
package enum IsolationLevel: String, Sendable, CaseIterable {
    case readCommitted = "READ COMMITTED"
    case repeatableRead = "REPEATABLE READ"
    case serializable = "SERIALIZABLE"
}

/// How a transaction begins. What is not said is left to the database's default.
package struct TransactionOptions: Sendable, Equatable {
    package var isolation: IsolationLevel?
    package var isReadOnly: Bool
    /// A serializable read-only transaction that waits at its beginning until it can no longer fail or make others fail.
    package var isDeferrable: Bool

    package init(isolation: IsolationLevel? = nil, isReadOnly: Bool = false, isDeferrable: Bool = false) {
        self.isolation = isolation
        self.isReadOnly = isReadOnly
        self.isDeferrable = isDeferrable
    }
}
