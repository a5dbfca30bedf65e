public import Threading

/// Something that happened in a pool.
public struct PoolEvent: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
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

    public var kind: Kind
    public var at: MonotonicInstant
    /// The pool's number of the connection, where there is one.
    public var connection: Int?
    public var backendPID: Int?
    /// Who borrowed, where that is known.
    public var site: BorrowSite?

    public init(
        _ kind: Kind, at: MonotonicInstant, connection: Int? = nil, backendPID: Int? = nil, site: BorrowSite? = nil
    ) {
        self.kind = kind
        self.at = at
        self.connection = connection
        self.backendPID = backendPID
        self.site = site
    }
}
