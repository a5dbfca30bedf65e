import EventLoop
import Testing

@Suite("A group of loops", .timeLimit(.minutes(15)))
struct EventLoopGroupTests {
    @Test("gives its loops in turn, and a task knows on which one it runs")
    func turns() async throws {
        let group = try EventLoopGroup(count: 3)
        defer { group.shutdown() }
        let numbers = (0..<6).map { _ in group.next().number }
        #expect(numbers == group.loops.map(\.number) + group.loops.map(\.number))
        #expect(Set(numbers).count == 3)
        for loop in group.loops {
            let number = await Task(executorPreference: loop) { EventLoop.current?.number }.value
            #expect(number == loop.number)
        }
        #expect(EventLoop.current == nil)
    }
}
