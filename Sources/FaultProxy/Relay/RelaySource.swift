/// Where connections of a relay come from, on one thread. Used by that thread.
protocol RelaySource: AnyObject {
    /// Of its events; each has ``RelayThread/Token/sourceMark``.
    var tokens: [UInt64] { get }
    func begin(on thread: RelayThread)
    /// Lets go of everything but the listening socket.
    func end(on thread: RelayThread)
    func handle(_ events: UInt32, _ token: UInt64, on thread: RelayThread)
    /// A time has come for which it was planned, or an earlier one.
    func timeHasCome(on thread: RelayThread)
}
