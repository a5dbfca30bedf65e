import RigModel

/// Which of the outer books could be counted while the run went on, and whether the pool tells its own. What could be counted only after the close (SQLite's
/// descriptors) is nothing that an earlier book lacks. A mergeable fold in constant memory.
struct BooksSeen: Sendable {
    private var sockets = false
    private var sessions = false
    private var poolProcessEnded = false
    private var isOwnPool = false

    mutating func observe(_ event: Event) {
        if event.process == .pool {
            if event.function == "process-ended" { poolProcessEnded = true }
            if event.isConfigurationOfOwnPool { isOwnPool = true }
        } else if event.process == .probe,
            event.function == "sample" || event.function == "books" && event.value["at"]?.stringValue == "quiesced"
        {
            if event.value["client_sockets"]?.intValue != nil { sockets = true }
            if event.value["server_sessions"]?.intValue != nil { sessions = true }
        }
    }

    mutating func merge(_ other: BooksSeen) {
        sockets = sockets || other.sockets
        sessions = sessions || other.sessions
        poolProcessEnded = poolProcessEnded || other.poolProcessEnded
        isOwnPool = isOwnPool || other.isOwnPool
    }

    /// What these books lack although the run could count it before, or our own pool always tells it, in words; `nil`: nothing.
    /// A process that is gone has no sockets that could be counted.
    func missing(in books: Books) -> String? {
        var parts: [String] = []
        if isOwnPool, books.pool == nil { parts.append("the pool's connections") }
        if isOwnPool, books.leases == nil { parts.append("the pool's leases") }
        if sockets, books.clientSockets == nil, !poolProcessEnded { parts.append("the client sockets") }
        if sessions, books.serverSessions == nil { parts.append("the server's sessions") }
        return parts.isEmpty ? nil : parts.joined(separator: " and ")
    }
}
