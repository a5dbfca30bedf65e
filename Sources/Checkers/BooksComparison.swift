/// Where the three books differ while nothing is running, and which layer that points at.
struct BooksDifference: Sendable, Equatable {
    var title: String
    var expected: String
    /// The layer that leaks, in words.
    var layer: String
}

extension Books {
    private enum Layer { case pool, socket, server }

    /// The differences of books that were taken when no operation was running. Each layer is compared with the next one
    /// below it that could be counted.
    ///
    /// - Parameter orphans: server sessions that are known to run for nobody; they are not counted here.
    func differences(orphans: Int) -> [BooksDifference] {
        var found: [BooksDifference] = []
        if let pool, pool.inUse != Int64(leases?.count ?? 0) {
            let other = leases.map { "\(counted($0.count, "lease")) out" } ?? "nothing is running"
            found.append(
                BooksDifference(
                    title: "The pool counts \(pool.inUse) in use, but \(other)",
                    expected: "in use 0, and as many as there are leases", layer: "the pool's own count leaks"))
        }
        var layers: [(layer: Layer, count: Int64)] = []
        if let pool { layers.append((.pool, pool.open)) }
        if let clientSockets { layers.append((.socket, clientSockets)) }
        if let serverSessions { layers.append((.server, serverSessions - Int64(orphans))) }
        for (upper, lower) in zip(layers, layers.dropFirst()) where upper.count != lower.count {
            found.append(Self.difference(upper.layer, lower.layer, more: upper.count - lower.count))
        }
        return found
    }

    /// - Parameter more: how many more the upper layer counts than the lower one; negative when it counts fewer.
    private static func difference(_ upper: Layer, _ lower: Layer, more: Int64) -> BooksDifference {
        let connections = counted(abs(more), "connection")
        let sessions = counted(abs(more), "session")
        let sockets = counted(abs(more), "socket")
        let dropped = "the driver or the pool dropped connections without closing them"
        let (title, layer) =
            switch (upper, lower, more > 0) {
            case (.pool, .socket, true):
                ("The pool counts \(connections) without a socket", "the pool keeps what is gone")
            case (.pool, .socket, false): ("\(sockets) open that the pool does not count", dropped)
            case (.pool, _, true):
                ("The pool counts \(connections) that the server does not know", "the pool keeps what is gone")
            case (.pool, _, false): ("The server has \(sessions) that the pool does not count", dropped)
            case (_, _, true):
                ("\(sockets) open without a session on the server", "this process keeps sockets whose far end is gone")
            case (_, _, false):
                (
                    "The server keeps \(sessions) without a socket in this process",
                    "the server, or what lies between it and the client, keeps them"
                )
            }
        return BooksDifference(
            title: title, expected: "pool, client sockets and server sessions are equal", layer: layer)
    }
}
