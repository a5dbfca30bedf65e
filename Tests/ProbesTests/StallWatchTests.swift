import Testing
import Threading

@testable import Probes

@Suite struct StallWatchTests {
    @Test(arguments: [(0, nil), (20, nil), (70, nil), (71, 51), (1020, 1000)] as [(Int, Int?)])
    func wakingLateIsAStallBeyondTheTolerance(sleptMilliseconds: Int, late: Int?) {
        let rule = StallRule(pause: .milliseconds(20), tolerance: .milliseconds(50))
        let start = MonotonicInstant(nanoseconds: 1_000_000_000)
        let lateness = rule.lateness(
            asleepFrom: start, until: start.advanced(by: .milliseconds(sleptMilliseconds)))
        #expect(lateness == late.map { .milliseconds($0) })
    }

    @Test func stallIsReportedWithItsLateness() async {
        let (reports, report) = AsyncStream.makeStream(of: Duration.self)
        // A sleep that says it took a minute; the first call only, so that the watch is not flooded.
        let first = Once()
        let watch = StallWatch(
            onStall: { report.yield($0) },
            sleep: { first.take() ? .now.advanced(by: .seconds(60)) : .now })
        let lateness = await reports.first { _ in true } ?? .zero
        watch.stop()
        #expect(lateness > .seconds(59))
    }

    @Test func timeBetweenTwoSleepsCounts() async {
        let (reports, report) = AsyncStream.makeStream(of: Duration.self)
        // It woke a minute ago, and was held up before it could go to sleep again.
        let first = Once()
        let watch = StallWatch(
            onStall: { report.yield($0) },
            sleep: {
                first.take() ? MonotonicInstant(nanoseconds: MonotonicInstant.now.nanoseconds - 60_000_000_000) : .now
            })
        let lateness = await reports.first { _ in true } ?? .zero
        watch.stop()
        #expect(lateness > .seconds(59))
    }

    @Test func stoppedWatchReportsNoMore() async {
        let (sleeps, slept) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let box = Counter()
        let watch = StallWatch(
            onStall: { _ in box.add() },
            sleep: {
                slept.yield()
                return .now.advanced(by: .seconds(60))
            })
        _ = await sleeps.first { true }
        watch.stop()
        let atStop = box.count
        #expect(atStop > 0)
        watch.stop()
        #expect(box.count == atStop)
    }

    @Test(.timeLimit(.minutes(15))) func realWatchStopsAfterItsPause() {
        let watch = StallWatch { _ in }
        watch.stop()
    }
}

private final class Once: Sendable {
    private let taken = Lock(false)
    func take() -> Bool {
        taken.withLock { taken in
            defer { taken = true }
            return !taken
        }
    }
}

private final class Counter: Sendable {
    private let value = Lock(0)
    var count: Int { value.withLock { $0 } }
    func add() { value.withLock { $0 += 1 } }
}
