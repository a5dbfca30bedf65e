package import Threading

/// Something that happened in a pool.
package struct PoolEvent: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// A connection was opened.
        case connected(took: Duration)
        case connectFailed(DriverError)
        /// Somebody wants a connection.
        case acquiring
        /// Nobody got one.
        case refused(PoolError)
        /// Somebody got one.
        case granted
        /// It came back with its session in this state.
        case released(TransactionStatus)
        /// A call of its borrower proved it dead.
        case lost(DriverError)
        case closing(CloseReason)
        /// Its lease is held for suspiciously long.
        case leakSuspected(held: Duration)
        /// The suspected lease came back after all.
        case leakTakenBack
        /// Its lease died unreleased.
        case leaked
    }

    package var kind: Kind
    package var at: MonotonicInstant
    /// The pool's number of the connection, where there is one.
    package var connection: Int?
    package var backendPID: Int?
    /// Who borrowed, where that is known.
    package var site: BorrowSite?

    package init(
        _ kind: Kind, at: MonotonicInstant, connection: Int? = nil, backendPID: Int? = nil, site: BorrowSite? = nil
    ) {
        self.kind = kind
        self.at = at
        self.connection = connection
        self.backendPID = backendPID
        self.site = site
    }
}
