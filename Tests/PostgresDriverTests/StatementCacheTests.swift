import ConnectionPool
import Testing

@testable import PostgresDriver

struct StatementCacheTests {
    private static let prefix = "s12345678"

    private func read(_ text: String, _ parameters: [SQLValue] = [.int(1)]) -> SQLStatement {
        SQLStatement(text, parameters, role: .read)
    }

    @Test func statementWithParametersIsPreparedAtOnceAndFoundAfterwards() {
        var cache = StatementCache(capacity: 8, prefix: Self.prefix)
        #expect(cache.plan(for: read("select $1")) == .prepare("s123456781"))
        #expect(cache.plan(for: read("select $1")) == .prepared("s123456781"))
        #expect(cache.plan(for: read("select $1, 2")) == .prepare("s123456782"))
        #expect(cache.plan(for: read("select $1")) == .prepared("s123456781"))
        #expect((cache.hits, cache.misses) == (2, 2))
    }

    @Test func statementWithoutParametersIsPreparedAtItsSecondUse() {
        var cache = StatementCache(capacity: 8, prefix: Self.prefix)
        #expect(cache.plan(for: read(" (select 1)", [])) == .unnamed(counted: true))
        #expect(cache.plan(for: read(" (select 1)", [])) == .prepare("s123456781"))
        #expect(cache.plan(for: read(" (select 1)", [])) == .prepared("s123456781"))
        #expect((cache.hits, cache.misses) == (1, 2))
    }

    @Test(
        "What has no plan worth keeping is never prepared, nor counted",
        arguments: [
            SQLStatement("BEGIN", role: .begin), .commit, .rollback, SQLStatement("create table t ()", role: .write),
            SQLStatement("", role: .read), SQLStatement("discard all", role: .write),
            SQLStatement("/* x */ select 1", role: .read),
        ])
    func neverPrepared(statement: SQLStatement) {
        var cache = StatementCache(capacity: 8, prefix: Self.prefix)
        for _ in 0..<3 { #expect(cache.plan(for: statement) == .unnamed(counted: false)) }
        #expect((cache.hits, cache.misses, cache.count) == (0, 0, 0))
    }

    @Test func leastRecentlyUsedGoesFirstAndItsNameIsToBeFreed() {
        var cache = StatementCache(capacity: 2, prefix: Self.prefix)
        _ = cache.plan(for: read("a"))
        _ = cache.plan(for: read("b"))
        _ = cache.plan(for: read("a"))
        _ = cache.plan(for: read("c"))
        #expect(cache.abandoned == ["s123456782"])
        #expect(cache.plan(for: read("a")) == .prepared("s123456781"))
        #expect(cache.plan(for: read("b")) == .prepare("s123456784"), "a name is never used twice")
        #expect(cache.count == 2)
        #expect(cache.takeAbandoned(limit: 1) == ["s123456782"])
        #expect(cache.takeAbandoned(limit: 9) == ["s123456783"])
        #expect(cache.abandoned.isEmpty)
    }

    @Test func zeroCapacityPreparesNothing() {
        var cache = StatementCache(capacity: 0, prefix: Self.prefix)
        for _ in 0..<3 { #expect(cache.plan(for: read("select $1")) == .unnamed(counted: false)) }
    }

    @Test func droppedStatementIsPreparedUnderANewName() {
        var cache = StatementCache(capacity: 8, prefix: Self.prefix)
        _ = cache.plan(for: read("a"))
        cache.drop("s123456781", serverKeeps: true)
        #expect(cache.abandoned == ["s123456781"])
        #expect(cache.plan(for: read("a")) == .prepare("s123456782"))
        cache.drop("s123456781", serverKeeps: false)
        #expect(cache.plan(for: read("a")) == .prepared("s123456782"), "an old name drops nothing")
    }

    @Test func secondLossGivesUpForGood() {
        var cache = StatementCache(capacity: 8, prefix: Self.prefix)
        _ = cache.plan(for: read("a"))
        cache.noteLoss(of: "s123456781")
        #expect(cache.plan(for: read("a")) == .prepare("s123456782"))
        cache.noteLoss(of: "s123456782")
        #expect(cache.hasGivenUp)
        #expect(cache.plan(for: read("a")) == .unnamed(counted: false))
        #expect(cache.abandoned.isEmpty)
    }

    @Test func forgettingOnDemandIsNoLoss() {
        var cache = StatementCache(capacity: 8, prefix: Self.prefix)
        for _ in 0..<5 {
            guard case .prepare = cache.plan(for: read("a")) else {
                Issue.record("not prepared anew")
                return
            }
            cache.forgetAll()
        }
        #expect(!cache.hasGivenUp)
    }

    @Test("Texts that mean the same characters in other bytes are two statements")
    func bytesDecide() {
        var cache = StatementCache(capacity: 8, prefix: Self.prefix)
        let (composed, decomposed) = ("select $1, 'caf\u{e9}'", "select $1, 'cafe\u{301}'")
        #expect(composed == decomposed)
        _ = cache.plan(for: read(composed))
        #expect(cache.plan(for: read(decomposed)) == .prepare("s123456782"))
    }

    @Test func prefixesHaveTheirLengthAndDiffer() {
        let all = Set((0..<100).map { _ in StatementCache.randomPrefix() })
        #expect(all.count == 100)
        #expect(all.allSatisfy { $0.utf8.count == 9 })
    }

    /// The list and the table stay in step through thousands of uses: a model of a few lines agrees.
    @Test func manyUsesAgreeWithASimpleModel() {
        var cache = StatementCache(capacity: 5, prefix: Self.prefix)
        var recent: [String] = []
        var random: UInt64 = 88_172_645_463_325_252
        for _ in 0..<5000 {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            let text = "select $1, \(random % 9)"
            let plan = cache.plan(for: read(text))
            if let place = recent.firstIndex(of: text) {
                recent.remove(at: place)
                guard case .prepared = plan else {
                    Issue.record("\(text) was not found")
                    return
                }
            } else {
                guard case .prepare = plan else {
                    Issue.record("\(text) was found")
                    return
                }
                if recent.count == 5 { recent.removeFirst() }
            }
            recent.append(text)
            #expect(cache.count == recent.count)
        }
    }
}
