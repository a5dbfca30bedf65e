import Testing
import Threading

@Suite struct LockTests {
    @Test func additionsFromManyThreadsAreAllKept() {
        let counter = Counter()
        let threads = (0..<8).map { _ in
            ServiceThread(name: "adder") { for _ in 0..<10_000 { counter.add() } }
        }
        threads.forEach { $0.join() }
        #expect(counter.total == 80_000)
    }

    @Test func errorLeavesTheLockOpen() {
        struct Refused: Error {}
        let lock = Lock(1)
        #expect(throws: Refused.self) { try lock.withLock { _ in throw Refused() } }
        #expect(lock.withLock { $0 } == 1)
    }

    @Test func valueIsReleasedWithTheLock() {
        final class Token {}
        weak var kept: Token?
        func hold(_ check: (Bool) -> Void) {
            let lock = Lock<Token?>(nil)
            lock.withLock { held in
                held = Token()
                kept = held
            }
            check(kept != nil)
        }
        hold { #expect($0) }
        #expect(kept == nil)
    }
}

private final class Counter: Sendable {
    private let value = Lock(0)
    var total: Int { value.withLock { $0 } }
    func add() { value.withLock { $0 += 1 } }
}
