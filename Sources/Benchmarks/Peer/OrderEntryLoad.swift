import ConnectionPool
import EventLoop
import PostgresDriver
import RigModel
import Threading

extension BenchPeer {
    /// The shop's load on tables of its own, with what cache and batcher say about it.
    func runOrderEntry(_ driver: PostgresDriver, on loops: EventLoopGroup) async throws(BenchError) -> BenchRow {
        try await withPool(driver, LoopRuntime(loops: loops)) { pool in
            for text in OrderEntrySQL.schema {
                _ = try await pool.withConnection { try await $0.execute(SQLStatement(text, role: .write)) }
            }
            let cache = ResultCache(maxBytes: 16 << 20)
            let batcher = Batcher<PostgresDriver, Int>(pool: pool)
            let load = OrderEntry(pool: pool, cache: cache, batcher: batcher)
            var row = await measure(load, on: loops)
            await batcher.close()
            let batches = batcher.counts
            row.extra.append(.init("cache_hit_share", .double(cache.counts.hitRate)))
            if batches.batches > 0 {
                let share = Double(batches.deadlocks) / Double(batches.batches)
                row.extra.append(.init("deadlock_share", .double(share)))
                row.extra.append(.init("items_per_batch", .double(Double(batches.items) / Double(batches.batches))))
            }
            for (name, share) in [("commit_p50_ms", 0.5), ("commit_p99_ms", 0.99)] {
                if let time = load.commits.quantile(share) { row.extra.append(.init(name, .double(time))) }
            }
            return row
        }
    }
}
