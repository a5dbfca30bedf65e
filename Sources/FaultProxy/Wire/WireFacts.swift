/// What a proxy has read about a PostgreSQL connection from its bytes. A value.
package struct WireFacts: Sendable, Equatable {
    /// What the connection is, as far as its bytes tell.
    package enum Phase: String, Sendable {
        /// Nothing is known yet: the startup packet is not complete, or SSL or GSS is being negotiated.
        case startup
        /// The startup packet has passed; the server has not said that it is ready.
        case authentication
        /// A session. Next: closed.
        case session
        /// A cancel request: a connection of its own that ends at once.
        case cancelRequest = "cancel-request"
        /// SSL or GSS was agreed on. It is relayed, and nobody can look inside.
        case encrypted
        /// The bytes are not PostgreSQL's. It is relayed.
        case unknownProtocol = "unknown-protocol"
    }

    /// ReadyForQuery's word.
    package enum TransactionStatus: String, Sendable, CaseIterable {
        case idle
        case inTransaction = "in-transaction"
        case failed
    }

    package var phase = Phase.startup
    package var user: String?
    package var database: String?
    package var applicationName: String?
    /// Of the backend that serves the session; for a cancel request the one that is to be cancelled.
    package var backendPID: Int32?
    /// `nil` until the server has said that it is ready for the first time.
    package var transaction: TransactionStatus?
    /// Statements (Query, or Execute up to its Sync) that the server has not answered to the end.
    package var statementsInFlight = 0
    package var lastCommandTag: String?
    package var lastSQLState: String?
    package var messagesUpstream = 0
    package var messagesDownstream = 0

    package init() {}
}
