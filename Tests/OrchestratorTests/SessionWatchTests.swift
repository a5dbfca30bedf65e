import RigModel
import RigTestSupport
import Testing
import Threading

@testable import Orchestrator

/// What the rig concludes from two looks at the server's sessions.
struct SessionWatchTests {
    private func session(_ pid: Int, running: Duration? = nil) -> PoolSession {
        PoolSession(
            pid: pid, state: running == nil ? "idle" : "active", query: "SELECT \(pid)", running: running,
            key: "\(pid)")
    }

    @Test("A session that is not there any more has ended, and is told once")
    func ended() {
        var watch = SessionWatch()
        #expect(watch.ended([session(3), session(1), session(2)]) == [])
        #expect(watch.ended([session(2)]) == [1, 3])
        #expect(watch.ended([session(2)]) == [])
        #expect(watch.ended([]) == [2])
    }

    @Test(
        "A statement that has run since before its client left is an orphan; one that is over, or of another client, is none"
    )
    func orphans() {
        var watch = SessionWatch()
        let now = [
            session(1), session(2, running: .seconds(4)), session(3, running: .seconds(1)),
            session(4, running: .seconds(9)), session(5, running: .seconds(5)),
        ]
        let left: [Int: Duration] = [
            1: .seconds(2), 2: .seconds(2), 3: .seconds(2), 5: .milliseconds(50),
        ]
        #expect(
            watch.orphans(now) { left[$0] } == [.init(pid: 2, running: .seconds(4), query: "SELECT 2")])
        #expect(watch.orphans(now) { left[$0] }.count == 1, "as long as it runs")
        #expect(watch.orphans([session(2)]) { left[$0] } == [])
    }

    @Test("A few orphans are enough")
    func limit() {
        var watch = SessionWatch()
        let many = (1...40).map { session($0, running: .seconds(9)) }
        #expect(watch.orphans(many) { _ in .seconds(1) }.count == 5)
        #expect(watch.orphans(many.reversed()) { _ in .seconds(1) }.map(\.pid) == [5, 4, 3, 2, 1])
    }

    @Test("A process that the pool has left is remembered until the pool has it again")
    func closedConnections() {
        let sink = RecordingSink(runtime: ManualRuntime())
        let closed = ClosedConnections(sink)
        closed.record(.info, .pool, "connection-closed", ["conn": 1, "pid": 77, "reason": "lost"])
        #expect(closed.leftAt(77) != nil && closed.leftAt(78) == nil)
        closed.record(.info, .pool, "connection-opened", ["conn": 2, "pid": 77])
        #expect(closed.leftAt(77) == nil)
        #expect(sink.events.map(\.function) == ["connection-closed", "connection-opened"])
    }
}
