import RigModel

/// A lease: who held the connection, and from when to when.
struct LaneLease: Sendable, Equatable {
    /// Nanoseconds since the run's start.
    var begin: Int64
    /// `nil`: it was never given back.
    var end: Int64?
    var function: String
    var outcome: Event.Kind
    var worker: Int
    /// The completion, in the history.
    var event: Int
    var error: String?
}

/// Something that happened to a connection at one moment.
struct LaneEvent: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        case opened
        /// The pool closed it because it wanted so.
        case retired
        /// It was found dead or unusable.
        case lost
        /// The server has its session no more.
        case sessionEnded
        case leakSuspected
        case leaked
        /// An attempt that was lent it, and was tried again.
        case failedAttempt
    }

    var time: Int64
    var kind: Kind
    var detail: String

    private static let wantedReasons: Set<String> = [
        "max-lifetime", "max-idle", "max-idle-time", "resized", "retired", "pool-closed",
    ]

    /// Whether a `connection-closed` with this reason was not the pool's own wish.
    static func isLoss(_ reason: String) -> Bool { !wantedReasons.contains(reason) }
}

/// One connection within a window.
struct Lane: Sendable, Equatable {
    var connection: Int
    var pid: Int?
    /// When it was opened, also outside of the window; `nil`: not known yet, and before the window.
    var begin: Int64?
    /// `nil`: before the window.
    var openedAt: Int64?
    /// `nil`: after the window.
    var closedAt: Int64?
    var leases: [LaneLease] = []
    var events: [LaneEvent] = []
    /// A finding names an event of it.
    var isNamed = false
}
