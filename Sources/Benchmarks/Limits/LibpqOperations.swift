import CLibPQ

/// One round trip on a connection of the thread's own.
struct LibpqQuery: BlockingOperation {
    let connection: PlainLibpq
    let operation: String

    mutating func run(_ keys: inout KeyStream) throws {
        if operation == "select1" {
            try connection.run(BenchSQL.select1)
        } else {
            try connection.run(operation, key: keys.key())
        }
    }
}

/// A connection for each statement.
struct LibpqConnect: BlockingOperation {
    let dsn: String

    mutating func run(_ keys: inout KeyStream) throws {
        try PlainLibpq(dsn: dsn, prepare: false).runUnprepared(BenchSQL.lookUp, key: keys.key())
    }
}

/// A batch in libpq's pipeline mode: one Sync behind all of it. The keys ascend, or concurrent updates would deadlock.
struct LibpqPipeline: BlockingOperation {
    let connection: PlainLibpq
    let operation: String
    let depth: Int
    var weight: Int { depth }

    init(connection: PlainLibpq, operation: String, depth: Int) throws {
        self.connection = connection
        self.operation = operation
        self.depth = depth
        guard PQenterPipelineMode(connection.connection) == 1 else {
            throw LibpqError("PQenterPipelineMode", connection.connection)
        }
    }

    mutating func run(_ keys: inout KeyStream) throws {
        let half = KeyStream.keys / 2
        let base = Int(keys.next() % UInt64(half))
        for item in 0..<depth {
            try connection.send(operation, key: Int64(base + item * (half / depth) + 1))
        }
        guard PQpipelineSync(connection.connection) == 1 else {
            throw LibpqError("PQpipelineSync", connection.connection)
        }
        for _ in 0..<depth {
            try connection.take(PQgetResult(connection.connection), "PQgetResult")
            // The end of this statement's results.
            PQclear(PQgetResult(connection.connection))
        }
        PQclear(PQgetResult(connection.connection))
    }
}
