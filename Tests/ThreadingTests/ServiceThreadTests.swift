import Foundation
import Testing
import Threading

@Suite struct ServiceThreadTests {
    @Test func joinReturnsAfterTheBody() {
        let box = Box()
        let thread = ServiceThread(name: "writer") { box.set("done") }
        thread.join()
        #expect(box.text == "done")
    }

    @Test func secondJoinReturnsAtOnce() {
        let thread = ServiceThread(name: "short") {}
        thread.join()
        thread.join()
    }

    @Test func threadCarriesItsNameCutToFifteenBytes() {
        let box = Box()
        let thread = ServiceThread(name: "a-name-beyond-fifteen-bytes") {
            box.set((try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)) ?? "unreadable")
        }
        thread.join()
        #expect(box.text == "a-name-beyond-f\n")
    }

    @Test func bodyIsReleasedWithTheThread() {
        final class Token: Sendable {}
        weak var released: Token?
        do {
            let token = Token()
            released = token
            let thread = ServiceThread(name: "holder") { withExtendedLifetime(token) {} }
            thread.join()
        }
        #expect(released == nil)
    }
}

private final class Box: Sendable {
    private let value = Lock("")
    var text: String { value.withLock { $0 } }
    func set(_ text: String) { value.withLock { $0 = text } }
}
