import ConnectionPool
import PostgresDriver
import RigModel
import RigTestSupport
import Testing
import Threading

extension FeatureTests {
    /// The event stream of a pool on a real server.
    @Suite("Event stream")
    struct PoolEventTests {
        /// Runs a pool whose events are kept as they come, until it is closed.
        private func events(
            maxOpen: Int = 1, adjust: (inout PoolConfiguration) -> Void = { _ in },
            _ body: (FeatureFixture, Watched<[PoolEvent]>) async throws -> Void
        ) async throws -> [PoolEvent] {
            let seen = Watched<[PoolEvent]>([])
            var reader: Task<Void, Never>?
            var made: PoolEventHub?
            try await FeatureFixture.with(
                maxOpen: maxOpen, adjust: adjust,
                watch: { runtime in
                    let hub = PoolEventHub(runtime: runtime)
                    let stream = hub.events()
                    reader = Task { for await event in stream { seen.change { $0.append(event) } } }
                    made = hub
                    return (hub, hub)
                }
            ) { fixture in try await body(fixture, seen) }
            made?.finish()
            await reader?.value
            return seen.value
        }

        /// What the pool tells and what its borrowers tell comes from different threads; each is in order.
        private func names(_ events: [PoolEvent]) -> (borrowers: [String], pool: [String]) {
            var (borrowers, pool): ([String], [String]) = ([], [])
            for event in events {
                let number = event.connection.map { " \($0)" } ?? ""
                switch event.kind {
                case .acquiring: borrowers.append("acquiring")
                case .granted: borrowers.append("granted\(number)")
                case .refused(let error): borrowers.append("refused \(error.cause.name)")
                case .released(let status): borrowers.append("released\(number) \(status.rawValue)")
                case .lost: borrowers.append("lost\(number)")
                case .connected: pool.append("connected\(number)")
                case .connectFailed: pool.append("connectFailed")
                case .closing(let reason): pool.append("closing\(number) \(reason.rawValue)")
                case .leakSuspected: pool.append("leakSuspected\(number)")
                case .leakTakenBack: pool.append("leakTakenBack\(number)")
                case .leaked: pool.append("leaked\(number)")
                }
            }
            return (borrowers, pool)
        }

        @Test("Connect, acquire, grant, release, loss and close are told, with connection, process and borrower")
        func life() async throws {
            let pids = Watched<[Int?]>([])
            let line = Watched<UInt>(0)
            let all = try await events { fixture, _ in
                line.change { $0 = #line + 1 }
                try await fixture.pool.withConnection { lease in
                    pids.change { $0.append(lease.connection.backendPID) }
                    _ = try await lease.execute(SQLStatement("SELECT 1", role: .read))
                }
                try await fixture.pool.withTransaction { lease in
                    _ = try await lease.execute(fixture.insert(1))
                }
                try? await fixture.pool.withConnection { lease in
                    let pid = Int64(lease.connection.backendPID ?? 0)
                    try await fixture.ask("SELECT pg_terminate_backend($1::int, 20000)", [.int(pid)])
                    _ = try await lease.execute(SQLStatement("SELECT 1", role: .read))
                }
                try? await fixture.pool.withTransaction { lease in
                    pids.change { $0.append(lease.connection.backendPID) }
                    _ = try await lease.execute(fixture.insert(2))
                    throw CancellationError()
                }
            }
            let (borrowers, pool) = names(all)
            #expect(
                borrowers == [
                    "acquiring", "granted 1", "released 1 idle", "acquiring", "granted 1", "released 1 idle",
                    "acquiring", "granted 1", "lost 1", "released 1 unusable", "acquiring", "granted 2",
                    "released 2 in-transaction",
                ])
            #expect(pool == ["connected 1", "closing 1 lost", "connected 2", "closing 2 pool-closed"])
            for (connection, pid) in zip([1, 2], pids.value) {
                let its = all.filter { $0.connection == connection }
                #expect(its.allSatisfy { $0.backendPID == pid })
            }
            let grant = try #require(all.first { $0.kind == .granted })
            #expect(grant.site?.line == line.value)
            for (event, next) in zip(all, all.dropFirst()) where event.connection == nil && next.connection == nil {
                #expect(event.at <= next.at)
            }
        }

        @Test("A lease held too long is suspected with its borrower, and taken back; one that dies is a leak")
        func leaks() async throws {
            let line = Watched<UInt>(0)
            let all = try await events(adjust: { $0.leakThreshold = .milliseconds(20) }) { fixture, seen in
                line.change { $0 = #line + 1 }
                try await fixture.pool.withConnection { _ in
                    try await seen.wait { $0.contains { if case .leakSuspected = $0.kind { true } else { false } } }
                }
                try await seen.wait { $0.contains { $0.kind == .leakTakenBack } }
                try await leak(fixture.pool)
                try await seen.wait { $0.contains { $0.kind == .closing(.leaked) } }
                try await fixture.pool.run("SELECT 1", role: .read)
            }
            let pool = names(all).pool
            #expect(pool.prefix(3) == ["connected 1", "leakSuspected 1", "leakTakenBack 1"])
            // On a busy machine the leases after it may be held as long as that, too.
            let rest = pool.dropFirst(3).filter { !$0.hasPrefix("leakSuspected") && !$0.hasPrefix("leakTakenBack") }
            #expect(rest == ["leaked 1", "closing 1 leaked", "connected 2", "closing 2 pool-closed"])
            let suspected = all.first { if case .leakSuspected = $0.kind { true } else { false } }
            #expect(suspected?.site?.line == line.value)
            guard case .leakSuspected(let held) = suspected?.kind else { return }
            #expect(held >= .milliseconds(20))
        }

        private func leak(_ pool: Pool<PostgresDriver>) async throws {
            let lease = try await pool.acquire(site: .here())
            _ = try await lease.execute(SQLStatement("SELECT 1", role: .read))
        }

        @Test("An acquire that nobody serves in time is told as refused")
        func refused() async throws {
            let all = try await events { fixture, _ in
                try await fixture.pool.withConnection { _ in
                    let soon = MonotonicInstant.now.advanced(by: .milliseconds(5))
                    _ = await #expect(throws: PoolError.self) {
                        try await fixture.pool.acquire(deadline: soon, site: .here()).release()
                    }
                }
            }
            #expect(
                names(all).borrowers == [
                    "acquiring", "granted 1", "acquiring", "refused timed-out", "released 1 idle",
                ])
        }
    }
}
