import RigModel
import RigTestSupport
import Testing

@testable import Orchestrator

struct HistorySwitchTests {
    @Test func nextHistoryBeginsWithWhatIsOpenAndWhatHappenedMeanwhile() throws {
        let runtime = ManualRuntime()
        let (first, second) = (RecordingSink(runtime: runtime), RecordingSink(runtime: runtime))
        let both = HistorySwitch()
        both.begin(first)
        both.record(.info, .pool, "connection-opened", ["conn": 1, "pid": 101, "took_ns": 5])
        both.record(.info, .pool, "connection-opened", ["conn": 2, "pid": 102, "took_ns": 5])
        both.record(.info, .pool, "connection-closed", ["conn": 1, "pid": 101, "reason": "lost"])
        both.end()
        both.record(.info, .pool, "connection-closed", ["conn": 2, "pid": 102, "reason": "max-lifetime"])
        both.record(.info, .pool, "connection-opened", ["conn": 3, "pid": 103, "took_ns": 7])
        #expect(first.count == 3)
        both.begin(second)
        both.record(.info, .pool, "leak-suspected", ["conn": 3])

        let events = second.events
        #expect(
            events.map(\.function) == [
                "connection-opened", "connection-closed", "connection-opened", "leak-suspected",
            ])
        // Inherited: it took no time here, and has its age.
        #expect(events[0].value["conn"] == 2 && events[0].value["pid"] == 102 && events[0].value["took_ns"] == 0)
        #expect(try #require(events[0].value["age_ns"]?.intValue) >= 0)
        // Told between the two: as it was.
        #expect(events[2].value == ["conn": 3, "pid": 103, "took_ns": 7])
    }
}

struct CounterBaselineTests {
    @Test func countersAreOfTheRoundAndGaugesOfNow() {
        let before: [JSONValue.Member] = [
            .init("openConnections", 4), .init("acquireCount", 100), .init("waitDuration_ms", .double(5)),
        ]
        let now: [JSONValue.Member] = [
            .init("openConnections", 3), .init("acquireCount", 140), .init("waitDuration_ms", .double(7.5)),
            .init("suspended", false), .init("utilisation", .double(0.5)), .init("acquireWait_ms", ["count": 3]),
        ]
        let since = CounterBaseline.since(before, now: now)
        #expect(
            since == [
                .init("openConnections", 3), .init("acquireCount", 40), .init("waitDuration_ms", .double(2.5)),
                .init("suspended", false),
            ])
        #expect(CounterBaseline.since([], now: now) == now)
    }
}
