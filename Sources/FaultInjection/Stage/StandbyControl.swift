/// A second server that follows the first synchronously, so that it has every write that was acknowledged.
package protocol StandbyControl: Sendable {
    /// The first server has acknowledged writes only after this one had them, until now.
    func isFollowing() async -> Bool
    /// What it says of itself; `nil` when it does not answer.
    func isInRecovery() async -> Bool?
    /// Makes it the primary, and returns when it says that it is. From then on it is the server of the stage, and of the
    /// rig's own connections.
    func promote(within limit: Duration) async throws
    /// From now on the pool's new connections lead to it.
    func movePool() async
}
