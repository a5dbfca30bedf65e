import ConnectionPool

/// A batch on a borrowed connection. The keys ascend: the batch is one transaction, and unordered updates would deadlock.
struct BatchThroughPool<D: Driver>: BenchOperation {
    let pool: Pool<D>
    let operation: String
    let depth: Int
    var weight: Int { depth }

    func run(_ keys: inout KeyStream) async throws -> UInt64 {
        let half = KeyStream.keys / 2
        let base = Int(keys.next() % UInt64(half))
        let text = operation == "upd" ? BenchSQL.update : BenchSQL.lookUp
        let batch = (0..<depth).map { item in
            SQLStatement(
                text, [.int(Int64(base + item * (half / depth) + 1))], role: operation == "upd" ? .write : .read)
        }
        let lease = try await pool.acquire(site: .here())
        let results = await lease.execute(batch: batch, atomicity: .allOrNothing)
        lease.release()
        for (statement, result) in zip(batch, results) { try result.get().check(statement) }
        return 0
    }
}
