import RigModel
import Testing

@testable import Reporting

struct ConnectionLanesTests {
    private func result(_ findings: [(seconds: Double?, events: [Int])], name: String = "leaks") -> InvariantResult {
        InvariantResult(
            name: name, verdict: .invalid, summary: "",
            findings: findings.map {
                Finding(
                    title: "t", expected: "e", seen: "s", events: $0.events, time: $0.seconds.map { Int64($0 * 1e9) })
            })
    }

    private func lanes(_ windows: [LaneWindow], _ story: StoryWriter) -> ConnectionLanes {
        var lanes = ConnectionLanes(windows)
        for event in story.events { lanes.observe(event) }
        lanes.finish()
        return lanes
    }

    @Test func findingsCloseToEachOtherShareAWindow() {
        let windows = LaneWindow.around([result([(5, [1]), (5.3, [2]), (nil, []), (9, [])])])
        #expect(windows.map { $0.moments.map(\.finding) } == [[1, 2], [4]])
        #expect(windows[0].events == [1, 2] && windows[0].span == 4_000_000_000..<6_000_000_000)
    }

    @Test func theFirstFindingOfEveryInvariantHasAWindow() {
        let many = result((0..<20).map { (Double($0) * 10, []) })
        let windows = LaneWindow.around([many, result([(1000, [])], name: "other")])
        #expect(windows.count == LaneWindow.limit)
        #expect(windows.last?.moments.map(\.finding) == [21])
    }

    @Test func aWindowShowsLeasesLossesAndTheSessionThatEnded() throws {
        var story = StoryWriter()
        story.say(1, .pool, "connection-opened", ["conn": 1, "pid": 70, "took_ns": 5_000_000])
        story.say(1, .pool, "connection-opened", ["conn": 2, "pid": 71, "took_ns": 5_000_000])
        story.operation(from: 4.5, to: 4.6)
        let named = story.events.count + 1
        story.operation(
            .info, worker: 3, from: 4.7, to: 5, connection: 1,
            error: .init(phase: .query, failureClass: "connection-lost", code: nil, message: "gone"))
        story.say(5.1, .probe, "session-ended", ["pids": [70]])
        story.say(5.2, .pool, "connection-closed", ["conn": 1, "pid": 70, "reason": "lost"])
        story.operation(from: 8, to: 8.1, connection: 2)
        let pictures = lanes(LaneWindow.around([result([(5, [named])])]), story).pictures
        let lane = try #require(pictures[0].lanes[1])
        #expect(lane.pid == 70 && lane.isNamed && lane.openedAt == nil && lane.closedAt == 5_200_000_000)
        #expect(lane.leases.map(\.outcome) == [.ok, .info])
        #expect(lane.leases[1].error == "connection-lost: gone")
        #expect(lane.events.map(\.kind) == [.sessionEnded, .lost])
        // Open in the window, though nothing happened to it.
        #expect(pictures[0].lanes[2]?.leases == [])
    }

    @Test func aLeaseThatNeverEndsIsSeenInEveryLaterWindow() {
        var story = StoryWriter()
        story.operation(.ok, "leak", from: 1, to: 1.1, connection: 4, returned: false)
        let pictures = lanes(LaneWindow.around([result([(1, []), (20, [])])]), story).pictures
        #expect(pictures.map { $0.lanes[4]?.leases.map(\.end) } == [[nil], [nil]])
    }

    @Test func aBusyWindowBecomesNarrower() {
        var story = StoryWriter()
        for n in 0..<4000 {
            story.operation(
                worker: n % 8, from: 4 + Double(n) * 0.0005, to: 4.0004 + Double(n) * 0.0005, connection: n % 8)
        }
        let picture = lanes(LaneWindow.around([result([(5, [])])]), story).pictures[0]
        #expect(picture.leaseCount <= ConnectionLanes.leaseLimit && picture.leaseCount > 100)
        #expect(picture.window.span.contains(5_000_000_000) && picture.window.reach < 200_000_000)
        #expect(picture.leaseCount == picture.lanes.values.reduce(0) { $0 + $1.leases.count })
    }

    /// Whether it is closed before the window becomes narrower, or later.
    @Test(arguments: [5.5, 9])
    func aConnectionThatWasOpenedLaterLeavesANarrowerWindow(_ closedAt: Double) {
        var story = StoryWriter()
        story.say(1, .pool, "connection-opened", ["conn": 20])
        story.say(5.4, .pool, "connection-opened", ["conn": 21])
        if closedAt < 6 { story.say(closedAt, .pool, "connection-closed", ["conn": 21, "reason": "max-idle"]) }
        for n in 0..<4000 {
            story.operation(
                worker: n % 8, from: 4 + Double(n) * 0.0005, to: 4.0004 + Double(n) * 0.0005, connection: n % 8)
        }
        if closedAt > 6 { story.say(closedAt, .pool, "connection-closed", ["conn": 21, "reason": "max-idle"]) }
        let picture = lanes(LaneWindow.around([result([(5, [])])]), story).pictures[0]
        #expect(picture.window.span.upperBound < 5_400_000_000)
        // The other one was idle all the time.
        #expect(picture.lanes[20] != nil && picture.lanes[21] == nil)
    }
}
