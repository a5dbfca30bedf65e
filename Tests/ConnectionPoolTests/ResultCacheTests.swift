import ConnectionPool
import RigModel
import RigTestSupport
import Testing
import Threading

/// Reads through the cache, on a driver whose answers the test decides.
@Suite("Results cache: readers", .timeLimit(.minutes(15)))
struct ResultCacheTests {
    private static let read = SQLStatement("read", role: .read)
    private let fixture = PoolFixture()
    private let cache = ResultCache(maxBytes: 1 << 20)
    private let queries = Watched(0)

    private func get(deadline: MonotonicInstant = .distantFuture) async throws -> SQLResult {
        try await fixture.pool.cachedRead(
            Self.read, in: cache, timeToLive: .seconds(60), tags: ["t"], deadline: deadline)
    }

    private func untilShared(_ count: Int) async throws {
        while cache.counts.shared < count {
            try Task.checkCancellation()
            await Task.yield()
        }
    }

    /// Answers the reads so from now on, and counts them; everything else at once.
    private func answerReads(_ answer: FakeDriver.StatementAnswer) {
        fixture.driver.answerStatements { [queries] _, statement in
            guard statement == Self.read else { return .rows(SQLResult()) }
            queries.change { $0 += 1 }
            return answer
        }
    }

    @Test("Many who miss at one time share one query")
    func singleFlight() async throws {
        // A connection that dies before it has answered anything would make the pool wait before it opens the next.
        try await fixture.open(1)
        answerReads(.hang)
        let readers = (0..<50).map { _ in Task { try await get() } }
        try await untilShared(49)
        try await fixture.runtime.untilSleeping(1)
        answerReads(.rows(SQLResult(rows: [[.int(1)]])))
        // The one that hangs fails, and those who followed share its error.
        fixture.driver.connections[0].kill()
        var failed = 0
        for reader in readers {
            do { _ = try await reader.value } catch let error as DriverError {
                #expect(error.cause == .connectionLost)
                failed += 1
            }
        }
        #expect(failed == 50)
        #expect(queries.value == 1)
        #expect(try await get().rows == [[.int(1)]])
        #expect(try await get().rows == [[.int(1)]])
        #expect(queries.value == 2)
        try await fixture.closeCleanly()
    }

    @Test("A cancelled leader fails alone: a follower asks again, for all")
    func cancelledLeader() async throws {
        answerReads(.hang)
        let leader = Task { try await get() }
        try await fixture.runtime.untilSleeping(1)
        let followers = (0..<10).map { _ in Task { try await get() } }
        try await untilShared(10)
        answerReads(.rows(SQLResult(rows: [[.int(7)]])))
        leader.cancel()
        await #expect(throws: DriverError.self) { try await leader.value }
        for follower in followers { #expect(try await follower.value.rows == [[.int(7)]]) }
        #expect(queries.value == 2)
        try await fixture.closeCleanly()
    }

    @Test("A cancelled follower fails alone; one whose deadline passes too")
    func followersLimits() async throws {
        answerReads(.hang)
        let leader = Task { try await get() }
        try await fixture.runtime.untilSleeping(1)
        let cancelled = Task { try await get() }
        let late = Task { try await get(deadline: fixture.runtime.now.advanced(by: .milliseconds(10))) }
        try await untilShared(2)
        cancelled.cancel()
        await #expect(throws: DriverError.self) { try await cancelled.value }
        try await fixture.runtime.untilSleeping(2)
        fixture.runtime.advance(by: .milliseconds(10))
        let error = await #expect(throws: DriverError.self) { try await late.value }
        #expect(error?.cause == .timedOut)
        leader.cancel()
        await #expect(throws: DriverError.self) { try await leader.value }
        try await fixture.closeCleanly()
    }
}
