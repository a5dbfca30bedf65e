import ConnectionPool
import RigModel
import RigTestSupport
import Testing
import Threading

/// Many tasks on few connections, with everything going wrong now and then.
@Suite(.timeLimit(.minutes(15)))
struct PoolStressTests {
    private struct Ends: Sendable {
        var ok = 0
        var cancelled = 0
        var failed = 0
        var unexpected: [String] = []

        var count: Int { ok + cancelled + failed }
        /// Enough of everything has happened.
        var areMany: Bool { ok > 500 && cancelled > 100 && failed > 10 }
    }

    @Test("200 tasks on 8 connections with random cancellation, kills and open transactions lose nothing")
    func nothingIsLost() async throws {
        let fixture = PoolFixture(PoolConfiguration(maxOpen: 8, minIdle: 2, acquireTimeout: .seconds(900)))
        fixture.driver.answerStatements { _, _ in .yields(2) }
        let ends = Watched(Ends())
        // How the uses end depends on who runs when: they go on until there were enough of each kind.
        let limit = MonotonicInstant.now.advanced(by: .seconds(300))
        let tasks = (0..<200).map { number in
            Task {
                var generator = SeededGenerator(seed: 7, stream: "task-\(number)")
                var uses = 0
                while uses < 20 || !ends.value.areMany && .now < limit {
                    await use(fixture, &generator, ends)
                    uses += 1
                }
                return uses
            }
        }
        try await Task {
            var generator = SeededGenerator(seed: 7, stream: "chaos")
            while ends.value.count < 3_000 || !ends.value.areMany && .now < limit {
                try Task.checkCancellation()
                if let victim = fixture.driver.connections.randomElement(using: &generator),
                    Int.random(in: 0..<4, using: &generator) == 0
                {
                    victim.kill()
                }
                fixture.runtime.advance(by: .milliseconds(1))
                #expect(fixture.pool.brokenInvariant() == nil)
                for _ in 0..<10 { await Task.yield() }
            }
        }.value
        // Time stands still from here on: whoever needed it would hang.
        var uses = 0
        for task in tasks { uses += await task.value }
        let sum = ends.value
        #expect(sum.unexpected == [])
        #expect(sum.count == uses)
        #expect(sum.areMany, "\(sum)")
        try await fixture.eventually { $0.inUse == 0 && $0.waiting == 0 }
        let metrics = fixture.pool.metrics
        #expect(metrics.acquireTimeouts == 0)
        #expect(metrics.leasesBalance)
        try await fixture.closeCleanly()
    }

    /// One use, that may be cancelled at any point.
    private func use(_ fixture: PoolFixture, _ generator: inout SeededGenerator, _ ends: Watched<Ends>) async {
        let isTransaction = Bool.random(using: &generator)
        let task = Task {
            let select = SQLStatement("select", role: .read)
            if isTransaction {
                try await fixture.pool.withTransaction { lease in _ = try await lease.execute(select) }
            } else {
                try await fixture.pool.withConnection { lease in _ = try await lease.execute(select) }
            }
        }
        if Int.random(in: 0..<4, using: &generator) == 0 {
            for _ in 0..<Int.random(in: 0..<40, using: &generator) { await Task.yield() }
            task.cancel()
        }
        let result = await task.result
        ends.change { ends in
            switch result {
            case .success: ends.ok += 1
            case .failure(let error):
                switch Self.cause(of: error) {
                case .cancelled?: ends.cancelled += 1
                case .connectionLost?: ends.failed += 1
                default: ends.unexpected.append("\(error)")
                }
            }
        }
    }

    private static func cause(of error: any Error) -> FailureCause? {
        switch error {
        case let error as PoolError: error.cause
        case let error as PhasedError: error.error.cause
        case let error as CommitInDoubt: error.error.cause
        case let error as DriverError: error.cause
        default: nil
        }
    }
}

extension PoolMetrics {
    /// Every acquire that was served has ended as a lease.
    fileprivate var leasesBalance: Bool { UInt64(acquireCount) == leaseDuration.count }
}
