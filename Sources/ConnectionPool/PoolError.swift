public import RigModel
import Threading

/// Why no connection was lent. Each case says what the caller can do next.
public enum PoolError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The budget passed first. Retry later, raise `maxOpen`, or look at the connect failure.
    case acquireTimedOut(waited: Duration, gauges: PoolGauges, maxOpen: Int, lastConnectFailure: String?)
    /// Every connection that this acquire was about to get was dead already, more often than there can be connections:
    /// something accepts connections and drops them at once. Look at the server or the proxy in front of it.
    case onlyDeadConnections(tries: Int)
    /// `maxWaiters` acquires wait already. Shed load.
    case tooManyWaiters(limit: Int)
    /// Connects have failed for so long that the pool asks nobody to wait any more; it probes the server meanwhile. Look at
    /// the last failure, and try again later.
    case breakerOpen(failingFor: Duration, lastConnectFailure: String)
    /// The pool is closing or closed.
    case closed
    /// The calling task was cancelled while it waited; nothing is held.
    case cancelled

    public var description: String {
        switch self {
        case .acquireTimedOut(let waited, let gauges, let maxOpen, let failure):
            "no connection within \(Int(waited.milliseconds)) ms (\(gauges), max open \(maxOpen))"
                + (failure.map { "; last connect failed: \($0); look at the server" }
                    ?? "; hold leases for less long, raise max open or the acquire timeout, or try again later")
        case .onlyDeadConnections(let tries):
            "\(tries) connections in a row were dead before they could be lent: the server accepts and drops them; look at "
                + "the server, or at the proxy in front of it"
        case .tooManyWaiters(let limit):
            "\(limit) acquires wait already, which is the limit (max waiters); shed load, or raise it"
        case .breakerOpen(let duration, let failure):
            "no connection could be opened for \(Int(duration.seconds)) s, so nobody waits for one; last: \(failure); look "
                + "at the server and try again later"
        case .closed: "the pool is closed; stop its users before it, or make a new pool"
        case .cancelled: "cancelled before it got a connection; nothing is held"
        }
    }

    /// The same in the words of the outcome table.
    public var cause: FailureCause {
        switch self {
        case .acquireTimedOut: .timedOut
        case .onlyDeadConnections: .connectionLost
        case .tooManyWaiters, .breakerOpen, .closed: .poolRefused
        case .cancelled: .cancelled
        }
    }
}

/// Where a connection was borrowed.
public struct BorrowSite: Sendable, Equatable, CustomStringConvertible {
    public let file: StaticString
    public let line: UInt

    public init(file: StaticString, line: UInt) {
        self.file = file
        self.line = line
    }

    /// The line that calls this.
    public static func here(file: StaticString = #fileID, line: UInt = #line) -> BorrowSite {
        BorrowSite(file: file, line: line)
    }

    public var description: String { "\(file):\(line)" }

    public static func == (a: BorrowSite, b: BorrowSite) -> Bool {
        a.line == b.line && a.description == b.description
    }
}
