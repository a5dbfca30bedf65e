/// The rows of ``TargetTable``.
struct TargetRows {
    private let hasPeers: Bool
    private let seconds: Double
    private let bulkRows: Int

    init(hasPeers: Bool, seconds: Double, bulkRows: Int) {
        self.hasPeers = hasPeers
        self.seconds = seconds
        self.bulkRows = bulkRows
    }

    var all: [TargetRow] { acquire + queries + bulk + sqlite + cost }

    private var acquire: [TargetRow] {
        let one = call(.acquire, "-", 1, 10)
        let many = call(.acquire, "-", 50, 10)
        let held = BenchJob(.ours, call(.acquireAndHold, "-", 50, 10))
        return [
            against(
                .hikari, "acquire + release, 1 on 10", .nanosecondsPerOperation, one, "at most HikariCP's",
                .ratioAtMost(1)),
            alone("  its p99", .p99, one, "under 10 µs", .valueAtMost(10)),
            against(
                .pgxpool, "acquire + release, 50 on 10", .nanosecondsPerOperation, many, "less than pgxpool's",
                .ratioAtMost(1)),
            TargetRow(
                title: "the same, held for 100 µs", figure: .perSecond, target: "reported", demand: .none("-"),
                ours: held, other: nil),
            TargetRow(
                title: "  utilisation", figure: .share("utilisation"), target: "over 90 %", demand: .valueAtLeast(90),
                ours: held, other: nil),
        ]
    }

    private var queries: [TargetRow] {
        let small = call(.query, "pk", 8, 8)
        let large = call(.query, "pk", 64, 16)
        let batch = call(.pipeline, "pk", 8, 8)
        return [
            libpq("look-up by key, 8/8", small, 0.8), libpq("look-up by key, 64/16", large, 0.8),
            against(.databaseSQL, "  its p99.9", .p999, large, "at most database/sql's", .ratioAtMost(1)),
            libpq("update by key, 64/16", call(.query, "upd", 64, 16), 0.85),
            libpq("pipelined batch of 100, 8/8", batch, 0.8),
            alone("  its rate", .perSecond, batch, "over 10 000/s", .valueAtLeast(10_000)),
        ]
    }

    private var bulk: [TargetRow] {
        let copy = PeerCall(.bulk, "copy", workers: 1, pool: 1, amount: Double(bulkRows))
        return [
            libpq("COPY of \(bulkRows) rows", copy, 0.95),
            alone("  its memory above idle", .rssGrowthMB, copy, "at most 20 MB", .valueAtMost(20)),
        ]
    }

    private var sqlite: [TargetRow] {
        [
            against(
                .goSQLite, "SQLite reads, 16 workers", .perSecond, call(.sqlite, "read", 16, 0), "above go-sqlite3",
                .ratioAtLeast(1))
        ]
    }

    private var cost: [TargetRow] {
        let idle = PeerCall(.idle, "-", workers: 1, pool: 100, amount: max(seconds, 3))
        let one = call(.acquire, "-", 1, 10)
        let large = call(.query, "pk", 64, 16)
        let shop = PeerCall(.orderEntry, "-", workers: 16, pool: 8, amount: max(seconds, 2))
        var bare = PeerCall.Variation()
        bare.isInstrumented = false
        return [
            alone("100 idle connections", .rssMB, idle, "at most 12 MB", .valueAtMost(12)),
            alone("  their processor time", .cpuPercent, idle, "under 0.05 %", .valueAtMost(0.05)),
            TargetRow(
                title: "instrumentation on against off", figure: .perSecond, target: "at least 0.97",
                demand: .ratioAtLeast(0.97), ours: BenchJob(.ours, large), other: BenchJob(.ours, large, bare)),
            TargetRow(
                title: "  where the pool is all there is", figure: .perSecond, target: "at least 0.97",
                demand: .ratioAtLeast(0.97), ours: BenchJob(.ours, one), other: BenchJob(.ours, one, bare)),
            alone("health checks per operation", .share("check_share"), large, "under 0.1 %", .valueAtMost(0.1)),
            alone("utilisation, 64 on 16", .share("utilisation"), large, "over 90 %", .valueAtLeast(90)),
            alone("statement reuse, order entry", .share("statement_reuse"), shop, "over 95 %", .valueAtLeast(95)),
            alone("results cache, order entry", .share("cache_hit_share"), shop, "over 80 %", .valueAtLeast(80)),
            alone("deadlocks in sorted batches", .share("deadlock_share"), shop, "under 0.01 %", .valueAtMost(0.01)),
            alone(
                "commit through the batcher, p99", .named("commit_p99_ms", " ms"), shop, "under 5 ms", .valueAtMost(5)),
        ]
    }

    private func call(_ scenario: PeerCall.Scenario, _ operation: String, _ workers: Int, _ pool: Int) -> PeerCall {
        PeerCall(scenario, operation, workers: workers, pool: pool, amount: seconds)
    }

    /// A row that stands for itself.
    private func alone(
        _ title: String, _ figure: TargetRow.Figure, _ call: PeerCall, _ target: String, _ demand: TargetRow.Demand
    ) -> TargetRow {
        TargetRow(title: title, figure: figure, target: target, demand: demand, ours: BenchJob(.ours, call), other: nil)
    }

    /// A row against raw libpq: the program in C where it is there, else the same loop in ours.
    private func libpq(_ title: String, _ call: PeerCall, _ limit: Double) -> TargetRow {
        TargetRow(
            title: title, figure: .perSecond, target: "at least \(limit) of libpq", demand: .ratioAtLeast(limit),
            ours: BenchJob(.ours, call), other: BenchJob(hasPeers ? .peer(.libpq) : .limit, call))
    }

    /// A row against another pool; without its program against the limit, and then nothing is demanded.
    private func against(
        _ peer: PeerPrograms.Name, _ title: String, _ figure: TargetRow.Figure, _ call: PeerCall, _ target: String,
        _ demand: TargetRow.Demand
    ) -> TargetRow {
        TargetRow(
            title: title, figure: figure, target: target, demand: hasPeers ? demand : .none("needs --peers"),
            ours: BenchJob(.ours, call), other: BenchJob(hasPeers ? .peer(peer) : .limit, call))
    }
}
