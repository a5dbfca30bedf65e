/// How the workload's clients behave beside doing their operations: as callers do, and as pools must bear. A value; shares are
/// of all operations, in `0...1`.
public struct ClientBehaviour: Sendable, Equatable {
    public struct Cancel: Sendable, Equatable {
        public var share: Double
        /// `nil`: one that is drawn for each operation.
        public var at: CancelMoment?
        public init(share: Double, at: CancelMoment? = nil) {
            self.share = share
            self.at = at
        }
    }

    public struct Hold: Sendable, Equatable {
        public var share: Double
        public var duration: Duration
        public init(share: Double, duration: Duration) {
            self.share = share
            self.duration = duration
        }
    }

    /// A time that comes again: from each multiple of `every` after the workload's start, but not from the start itself.
    public struct Window: Sendable, Equatable {
        public var every: Duration
        public var duration: Duration
        public init(every: Duration, duration: Duration) {
            self.every = every
            self.duration = duration
        }
    }

    public struct Probe: Sendable, Equatable {
        public var every: Duration
        /// A probe that takes longer is cancelled.
        public var limit: Duration
        public init(every: Duration, limit: Duration) {
            self.every = every
            self.limit = limit
        }
    }

    public struct Reopen: Sendable, Equatable {
        /// Since the workload's start.
        public var at: Duration
        /// The pool is closed while so many operations are under way.
        public var inFlight: Int
        public init(at: Duration, inFlight: Int) {
            self.at = at
            self.inFlight = inFlight
        }
    }

    public struct ResidueShare: Sendable, Equatable {
        public var kind: Residue
        public var share: Double
        public init(_ kind: Residue, _ share: Double) {
            self.kind = kind
            self.share = share
        }
    }

    public var cancel: Cancel?
    /// The client's own code throws while it holds the connection.
    public var throwShare = 0.0
    /// A transaction is begun and neither committed nor rolled back.
    public var abandonTransaction = 0.0
    /// A result is read in part only.
    public var abandonResult = 0.0
    /// The connection is kept, idle, after the operation.
    public var hold: Hold?
    /// A second connection is asked for while the first is held.
    public var nested = 0.0
    /// What is left on the connection.
    public var residue: [ResidueShare] = []
    /// So many times the load, for a while.
    public var burst: Window?
    public var burstFactor = 1
    /// No load at all, for a while; at its end one use alone is measured.
    public var quiet: Window?
    /// A client of its own that asks whether the database answers, as a container's health check does.
    public var probe: Probe?
    /// The program closes its pool under load and opens a new one.
    public var reopen: Reopen?

    public init() {}

    /// Something is drawn for each operation.
    public var isDrawn: Bool {
        cancel != nil || throwShare > 0 || abandonTransaction > 0 || abandonResult > 0 || hold != nil || nested > 0
            || !residue.isEmpty
    }
}

/// Where in the life of a use it is cancelled.
public enum CancelMoment: String, Sendable, CaseIterable {
    /// Waiting for a connection.
    case queue
    /// Waiting while the pool opens one.
    case connect
    /// Waiting while the pool checks one.
    case check
    case begin
    case query
    case commit
    /// The last statement was answered.
    case result
    /// Just before the connection is given back.
    case release
}

/// What a client may leave on its connection.
public enum Residue: String, Sendable, CaseIterable {
    case settings
    case role
    case temporaryTable = "temp-table"
    case advisoryLock = "advisory-lock"
    case listen
}
