import Testing
import Threading

@Suite struct MonotonicInstantTests {
    @Test func clockDoesNotGoBack() {
        let first = MonotonicInstant.now
        #expect(MonotonicInstant.now >= first)
    }

    @Test func instantBeyondTheEndIsTheDistantFuture() {
        let late = MonotonicInstant(nanoseconds: .max - 5)
        #expect(late.advanced(by: .nanoseconds(5)) == .distantFuture)
        #expect(late.advanced(by: .nanoseconds(6)) == .distantFuture)
        #expect(MonotonicInstant.distantFuture.advanced(by: .seconds(1)) == .distantFuture)
    }

    @Test func instantBeforeTheStartIsZero() {
        let early = MonotonicInstant(nanoseconds: 5)
        #expect(early.advanced(by: .nanoseconds(-5)).nanoseconds == 0)
        #expect(early.advanced(by: .nanoseconds(-6)).nanoseconds == 0)
    }

    @Test func durationBetweenInstantsHasASign() {
        let early = MonotonicInstant(nanoseconds: 100)
        let late = MonotonicInstant(nanoseconds: 350)
        #expect(early.duration(to: late) == .nanoseconds(250))
        #expect(late.duration(to: early) == .nanoseconds(-250))
    }

    @Test func durationTooLongForTheTypeSaturates() {
        let start = MonotonicInstant(nanoseconds: 0)
        #expect(start.duration(to: .distantFuture) == .nanoseconds(Int64.max))
        #expect(MonotonicInstant.distantFuture.duration(to: start) == .nanoseconds(-Int64.max))
    }

    @Test(arguments: [
        (Duration.milliseconds(1500), Int64(1_500_000_000)), (.nanoseconds(-3), -3), (.zero, 0),
        (.seconds(Int64.max), .max), (.seconds(Int64.min), .min),
    ])
    func nanosecondsOfADurationSaturate(_ duration: Duration, expected: Int64) {
        #expect(duration.nanoseconds == expected)
    }

    @Test func secondsAndMillisecondsAreScaled() {
        #expect(Duration.milliseconds(2500).seconds == 2.5)
        #expect(Duration.microseconds(2500).milliseconds == 2.5)
    }
}
