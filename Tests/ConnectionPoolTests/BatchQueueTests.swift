import RigModel
import Testing
import Threading

@testable import ConnectionPool

@Suite("Batcher: which items go when")
struct BatchQueueTests {
    private static let start = MonotonicInstant(nanoseconds: 1_000_000_000)

    private static func at(_ milliseconds: Int) -> MonotonicInstant { start.advanced(by: .milliseconds(milliseconds)) }

    private func queue(
        maxCount: Int = 3, maxDelay: Int = 2, maxQueued: Int = 100, maxInFlight: Int = 2
    ) -> BatchQueue<Int, String> {
        BatchQueue(
            BatcherConfiguration(
                maxCount: maxCount, maxDelay: .milliseconds(maxDelay), maxQueued: maxQueued, maxInFlight: maxInFlight))
    }

    @Test("A batch goes when it is full, at once")
    func full() throws {
        var queue = queue()
        for key in [5, 1] { _ = queue.add("\(key)", key: key, now: Self.at(0)) }
        #expect(queue.takeBatch(now: Self.at(1)) == nil)
        _ = queue.add("3", key: 3, now: Self.at(1))
        let batch1 = queue.takeBatch(now: Self.at(1))
        #expect(batch1?.map(\.key) == [1, 3, 5])
        #expect(queue.takeBatch(now: Self.at(1)) == nil)
    }

    @Test("A batch goes when its oldest item has waited long enough, and not before")
    func due() throws {
        var queue = queue()
        _ = queue.add("a", key: 2, now: Self.at(0))
        _ = queue.add("b", key: 1, now: Self.at(1))
        #expect(queue.nextAlarm == Self.at(2))
        #expect(queue.takeBatch(now: Self.start.advanced(by: .nanoseconds(1_999_999))) == nil)
        let batch2 = queue.takeBatch(now: Self.at(2))
        #expect(batch2?.map(\.item) == ["b", "a"])
        #expect(queue.nextAlarm == nil)
    }

    @Test("Items with the same key keep their order, inside a batch and over batches")
    func sameKey() throws {
        var queue = queue(maxCount: 2)
        for item in ["a", "b", "c", "d"] { _ = queue.add(item, key: 7, now: Self.at(0)) }
        let taken1 = queue.takeBatch(now: Self.at(0))
        let first = try #require(taken1)
        #expect(first.map(\.item) == ["a", "b"])
        // Its key is in flight: the rest waits, whatever the time, and no alarm is set for it.
        #expect(queue.takeBatch(now: Self.at(100)) == nil)
        #expect(queue.nextAlarm == nil)
        _ = queue.add("x", key: 1, now: Self.at(100))
        let batch3 = queue.takeBatch(now: Self.at(102))
        #expect(batch3?.map(\.item) == ["x"])
        queue.end(first)
        let batch4 = queue.takeBatch(now: Self.at(102))
        #expect(batch4?.map(\.item) == ["c", "d"])
    }

    @Test("No more batches run at the same time than allowed")
    func inFlight() throws {
        var queue = queue(maxCount: 1)
        for key in 0..<3 { _ = queue.add("\(key)", key: key, now: Self.at(0)) }
        let taken2 = queue.takeBatch(now: Self.at(0))
        let first = try #require(taken2)
        #expect(queue.takeBatch(now: Self.at(0)) != nil)
        #expect(queue.takeBatch(now: Self.at(0)) == nil)
        #expect(queue.nextAlarm == nil)
        queue.end(first)
        let batch5 = queue.takeBatch(now: Self.at(0))
        #expect(batch5?.map(\.key) == [2])
    }

    @Test("One item more than may wait is refused; after a withdrawal the next is not")
    func bounded() throws {
        var queue = queue(maxQueued: 2)
        let first = try queue.add("a", key: 1, now: Self.at(0)).get()
        _ = queue.add("b", key: 2, now: Self.at(0))
        let refused = queue.add("c", key: 3, now: Self.at(0))
        #expect(refused == .failure(BatchQueue.Refused(.full(limit: 2))))
        #expect(queue.withdraw(first) == true)
        #expect(queue.withdraw(first) == false)
        _ = try queue.add("c", key: 3, now: Self.at(0)).get()
        let batch6 = queue.takeBatch(now: Self.at(2))
        #expect(batch6?.map(\.item) == ["b", "c"])
    }

    @Test("A close sends what waits, in batches, and takes nothing more")
    func close() throws {
        var queue = queue(maxCount: 2)
        for key in 0..<3 { _ = queue.add("\(key)", key: key, now: Self.at(0)) }
        queue.close()
        let batches = [queue.takeBatch(now: Self.at(0)), queue.takeBatch(now: Self.at(0))].compactMap { $0 }
        #expect(batches.map(\.count) == [2, 1])
        let refused = queue.add("d", key: 9, now: Self.at(0))
        #expect(refused == .failure(BatchQueue.Refused(.closed)))
        #expect(!queue.isEmpty)
        for batch in batches { queue.end(batch) }
        #expect(queue.isEmpty)
    }
}

@Suite("Batcher: what becomes of a batch with a bad item")
struct BatchFallbackTests {
    private static let ok = Result<SQLResult, DriverError>.success(SQLResult(affectedRows: 1))
    private static let duplicate = DriverError(.server(sqlState: "23505"), "duplicate key")

    @Test("Without a failure there is one round")
    func allWell() {
        var fallback = BatchFallback(count: 2, atomicity: .allOrNothing)
        #expect(fallback.next == .run(items: [0, 1], .allOrNothing))
        fallback.take([Self.ok, Self.ok])
        #expect(fallback.next == .done)
        #expect(fallback.results == [Self.ok, Self.ok])
        #expect(!fallback.fellBack)
    }

    @Test("The bad item keeps its error, and the others are run again without it")
    func oneBad() {
        var fallback = BatchFallback(count: 3, atomicity: .allOrNothing)
        fallback.take([.failure(.rolledBack(with: 1)), .failure(Self.duplicate), .failure(.notRun(after: 1))])
        #expect(fallback.next == .run(items: [0, 2], .allOrNothing))
        fallback.take([Self.ok, Self.ok])
        #expect(fallback.next == .done)
        #expect(fallback.results == [Self.ok, .failure(Self.duplicate), Self.ok])
        #expect(fallback.fellBack)
    }

    @Test("After three bad items each of the rest stands for itself")
    func manyBad() {
        var fallback = BatchFallback(count: 10, atomicity: .allOrNothing)
        for round in 0..<3 {
            let rest = 10 - round
            #expect(fallback.next == .run(items: Array(round..<10), .allOrNothing))
            fallback.take([.failure(Self.duplicate)] + (1..<rest).map { _ in .failure(.notRun(after: 0)) })
        }
        #expect(fallback.next == .run(items: Array(3..<10), .independent))
        fallback.take((3..<10).map { $0.isMultiple(of: 2) ? Self.ok : .failure(Self.duplicate) })
        #expect(fallback.next == .done)
        #expect(fallback.results.compactMap { try? $0?.get() }.count == 3)
    }

    @Test("A deadlock, and an error of the COMMIT, are nobody's own: all are run again, each for itself")
    func nobodysFault() {
        let deadlock = DriverError(.server(sqlState: "40P01"), "deadlock detected")
        var fallback = BatchFallback(count: 2, atomicity: .allOrNothing)
        fallback.take([.failure(deadlock), .failure(.notRun(after: 0))])
        #expect(fallback.next == .run(items: [0, 1], .independent))
        #expect(fallback.sawDeadlock)
        var deferred = BatchFallback(count: 2, atomicity: .allOrNothing)
        deferred.take([.failure(Self.duplicate), .failure(Self.duplicate)])
        #expect(deferred.next == .run(items: [0, 1], .independent))
    }

    @Test("What may have been applied is not run again")
    func doubt() {
        for error in [
            DriverError(.connectionLost, "reset"), DriverError(.timedOut, "late"),
            DriverError(.server(sqlState: "40003"), "?"),
        ] {
            var fallback = BatchFallback(count: 2, atomicity: .allOrNothing)
            fallback.take([.failure(error), .failure(error)])
            #expect(fallback.next == .done)
            #expect(fallback.results == [.failure(error), .failure(error)])
        }
    }

    @Test("What was never sent goes to another connection, once")
    func neverSent() {
        let unsent = DriverError(.connectionLost, "closed by the server", requestSent: false)
        var fallback = BatchFallback(count: 1, atomicity: .independent)
        fallback.take([.failure(unsent)])
        #expect(fallback.next == .run(items: [0], .independent))
        fallback.take([.failure(unsent)])
        #expect(fallback.next == .done)
    }
}

@Suite("Multi-row insert")
struct MultiRowInsertTests {
    @Test("Rows keep their order and their values")
    func text() {
        let insert = MultiRowInsert(into: "t", columns: ["a", "b"], suffix: "RETURNING a")
        let statements = insert.statements(for: [[.int(1), .text("x")], [.int(2), .null]], maxParameters: 10)
        #expect(
            statements == [
                SQLStatement(
                    "INSERT INTO t (a, b) VALUES ($1,$2),($3,$4) RETURNING a", [.int(1), .text("x"), .int(2), .null],
                    role: .write)
            ])
        #expect(insert.statements(for: [], maxParameters: 10).isEmpty)
    }

    struct Row: CustomTestStringConvertible {
        let rows: Int
        let most: Int
        let sizes: [Int]
        var testDescription: String { "\(rows) rows, \(most) at most" }
    }

    @Test(
        "Full statements, then powers of two",
        arguments: [
            Row(rows: 1000, most: 655, sizes: [655, 256, 64, 16, 8, 1]), Row(rows: 10, most: 10, sizes: [10]),
            Row(rows: 7, most: 100, sizes: [4, 2, 1]), Row(rows: 3, most: 1, sizes: [1, 1, 1]),
            Row(rows: 0, most: 5, sizes: []),
        ])
    func sizes(_ row: Row) { #expect(MultiRowInsert.sizes(of: row.rows, most: row.most) == row.sizes) }

    @Test("No statement has too many parameters, and there are few different texts, whatever the number of rows")
    func shapes() {
        let insert = MultiRowInsert(into: "t", columns: ["a", "b", "c"])
        var texts: Set<String> = []
        for count in 1...700 {
            let rows = (0..<count).map { [SQLValue.int(Int64($0)), .null, .null] }
            let statements = insert.statements(for: rows, maxParameters: 1000)
            #expect(statements.allSatisfy { $0.parameters.count <= 1000 })
            #expect(statements.flatMap(\.parameters) == rows.flatMap { $0 })
            texts.formUnion(statements.map(\.text))
        }
        // 333 at the most, and 1, 2, 4 … 256.
        #expect(texts.count == 10)
    }
}
