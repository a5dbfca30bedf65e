import RigModel

/// Three counts of the same connections, taken at one moment: by the pool, by this process's sockets, by the server.
/// `probe/books` as a type; a part that does not exist for the target is `nil`.
struct Books: Sendable {
    struct Pool: Sendable {
        var open: Int64
        var inUse: Int64
    }

    struct Lease: Sendable {
        var connection: Int64
        var pid: Int64?
        var site: String?
        /// `nil`: an adapter does not say.
        var heldNanoseconds: Int64?
    }

    struct Session: Sendable {
        var pid: Int64?
        var state: String
        var query: String
    }

    /// `quiesced` or `closed`.
    var at: String
    var index: Int
    var time: Int64
    var pool: Pool?
    var leases: [Lease]?
    var clientSockets: Int64?
    var serverSessions: Int64?
    var sessions: [Session]

    /// `nil` when the event is something else.
    init?(_ event: Event) {
        guard event.process == .probe, event.function == "books", let at = event.value["at"]?.stringValue else {
            return nil
        }
        self.at = at
        index = event.index
        time = event.time
        if let pool = event.value["pool"], let open = pool["open"]?.intValue, let inUse = pool["in_use"]?.intValue {
            self.pool = Pool(open: open, inUse: inUse)
        }
        leases = event.value["leases"]?.arrayValue?.map { lease in
            Lease(
                connection: lease["conn"]?.intValue ?? -1, pid: lease["pid"]?.intValue,
                site: lease["site"]?.stringValue, heldNanoseconds: lease.nanoseconds("held_ns"))
        }
        clientSockets = event.value["client_sockets"]?.intValue
        serverSessions = event.value["server_sessions"]?.intValue
        sessions = (event.value["sessions"]?.arrayValue ?? []).map { session in
            Session(
                pid: session["pid"]?.intValue, state: session["state"]?.stringValue ?? "unknown",
                query: session["query"]?.stringValue ?? "")
        }
    }

    /// There is at least one count in it.
    var saysSomething: Bool { pool != nil || leases != nil || clientSockets != nil || serverSessions != nil }

    /// `pool open 10, in use 0; client sockets 10; server sessions 10`; parts that do not exist are left out.
    var words: String {
        var parts: [String] = []
        if let pool { parts.append("pool open \(pool.open), in use \(pool.inUse)") }
        if let leases { parts.append("leases out \(leases.count)") }
        if let clientSockets { parts.append("client sockets \(clientSockets)") }
        if let serverSessions { parts.append("server sessions \(serverSessions)") }
        return parts.isEmpty ? "nothing could be counted" : parts.joined(separator: "; ")
    }

    var measured: JSONValue {
        [
            "pool_open": pool.map { .int($0.open) } ?? .null, "in_use": pool.map { .int($0.inUse) } ?? .null,
            "leases": leases.map { JSONValue($0.count) } ?? .null,
            "client_sockets": clientSockets.map { .int($0) } ?? .null,
            "server_sessions": serverSessions.map { .int($0) } ?? .null,
        ]
    }
}
