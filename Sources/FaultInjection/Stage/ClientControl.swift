package import HostSystem

/// The process that holds the pool, as a child of the rig.
package protocol ClientControl: Sendable {
    /// The process that runs now; `nil` when there is none.
    var process: ProcessIdentity? { get }
    /// Where the run may make files for it.
    var scratch: String { get }
    /// Sends a signal.
    ///
    /// - Parameter isEnd: it will end the process, which is then no problem of the pool's.
    /// - Returns: `false` when it does not run.
    func signal(_ number: Int32, isEnd: Bool) -> Bool
    /// Whether it may end at any moment, which is then no problem of the pool's.
    func expectEnd(_ isExpected: Bool)
    /// - Returns: `false` when it still runs at the limit.
    func waitUntilEnded(within limit: Duration) async -> Bool
    /// Starts it again, and returns when its pool answers.
    func start() async throws
    /// A question to its pool and the answer.
    func roundTrip(within limit: Duration) async throws -> ClientRoundTrip
    /// Moves its wall clock; zero brings it back. Only where it was started with a clock that can be moved.
    func shiftClock(by offset: Duration) throws
}

package struct ClientRoundTrip: Sendable, Equatable {
    package var took: Duration
    /// Seconds since 1970, as the process sees it; `nil` where it does not tell.
    package var wallClock: Double?
    /// Connects of the pool that have failed since it began, and connections that it has found dead; `nil` where it does not tell.
    package var connectFailures: Int64?
    package var connectionsLost: Int64?

    package init(
        took: Duration, wallClock: Double?, connectFailures: Int64? = nil, connectionsLost: Int64? = nil
    ) {
        self.took = took
        self.wallClock = wallClock
        self.connectFailures = connectFailures
        self.connectionsLost = connectionsLost
    }
}
