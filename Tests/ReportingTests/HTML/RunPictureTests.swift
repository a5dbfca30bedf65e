import RigModel
import Testing

@testable import Reporting

struct RunPictureTests {
    private func picture(_ body: (inout StoryWriter) -> Void) -> RunPicture {
        var story = StoryWriter()
        body(&story)
        var picture = RunPicture()
        for event in story.events { picture.observe(event) }
        return picture
    }

    @Test func operationsAreCountedWhereTheyEnd() {
        let picture = picture {
            $0.operation(.ok, "append", from: 0.1, to: 0.2)
            $0.operation(.fail, "read", from: 0.2, to: 0.6)
            $0.operation(.info, "append", from: 0.6, to: 0.7)
        }
        #expect(picture.kinds == ["append", "read"])
        #expect(picture.series.buckets.map(\.outcomes.ok) == [1, 0, 0])
        #expect(picture.series.buckets[2][kind: 1].fail == 1)
        #expect(picture.series.buckets[2][kind: 0].info == 1)
        #expect(picture.series.buckets[0].latency.maxNanoseconds == 100_000_000)
        // The wait of those that failed counts, their latency does not.
        #expect(picture.series.buckets[2].acquire.count == 2 && picture.series.buckets[2].latency.count == 0)
    }

    @Test func aThousandTimesLongerRunHasNoMoreBuckets() {
        let short = picture { for n in 0..<100 { $0.operation(from: Double(n), to: Double(n) + 0.5) } }
        let long = picture { for n in 0..<100 { $0.operation(from: Double(n) * 1000, to: Double(n) * 1000 + 0.5) } }
        #expect(short.series.buckets.count == 399 && long.series.buckets.count <= 400)
        #expect(long.series.buckets.reduce(0) { $0 + $1.outcomes.ok } == 100)
    }

    @Test func kindsBeyondTheTenthAreOthers() {
        let picture = picture {
            for n in 0..<20 { $0.operation(.ok, "kind-\(n)", from: Double(n) * 0.001, to: Double(n) * 0.001 + 0.0005) }
        }
        #expect(picture.kinds.count == 10 && picture.kinds.last == RunPicture.otherKinds)
        #expect(picture.series.buckets[0][kind: 9].ok == 11)
    }

    @Test func gaugesAreSampledAndWhatCouldNotBeReadIsMissing() {
        let picture = picture {
            $0.say(0.1, .pool, "gauges", ["open": 4, "idle": 3, "in_use": 1, "connecting": 0, "waiting": 2])
            $0.say(0.2, .pool, "gauges", ["open": 6, "idle": 3, "in_use": 1, "connecting": 0, "waiting": 0])
            $0.say(
                0.2, .probe, "sample",
                ["server_sessions": .null, "client_sockets": 5, "descriptors": 9, "rss_bytes": 1])
        }
        let bucket = picture.series.buckets[0]
        #expect(bucket[.open].mean == 5 && bucket[.waiting].greatest == 2)
        #expect(bucket[.sessions].mean == nil && bucket[.sessions].missed == 1 && bucket[.sockets].mean == 5)
    }

    @Test func openAndClosedConnectionsAreToldApartByTheirReason() {
        let picture = picture {
            $0.say(0, .pool, "connection-opened", ["conn": 1, "pid": 7, "took_ns": 5])
            $0.say(0, .pool, "connection-closed", ["conn": 1, "pid": 7, "reason": "lost"])
            $0.say(0, .pool, "connection-closed", ["conn": 2, "pid": 8, "reason": "max-lifetime"])
            $0.say(0, .pool, "connect-failed", ["code": "57P03", "message": "starting"])
        }
        let bucket = picture.series.buckets[0]
        #expect([bucket.opened, bucket.lost, bucket.retired, bucket.connectFailed] == [1, 1, 1, 1])
    }

    @Test func limitsAreThoseOfAllPoolsTogether() {
        let picture = picture {
            $0.say(0, .pool, "configured", ["max_open": 8, "instances": 3, "acquire_timeout_ns": 2_000_000_000])
        }
        #expect(picture.maxOpen == 24 && picture.acquireTimeoutNanoseconds == 2_000_000_000)
    }

    @Test func theLongestStallsAreKept() {
        let picture = picture {
            for n in 1...1000 { $0.say(Double(n), .probe, "stall", ["late_ns": JSONValue(n * 1_000_000)]) }
        }
        #expect(picture.stalls.count <= 400)
        #expect(picture.stalls.last?.lateNanoseconds == 1_000_000_000)
    }
}

struct RecoveryCurveTests {
    @Test func aCurveBeginsBeforeItsFaultAndEndsAfterItsHeal() throws {
        var story = StoryWriter()
        story.say(0, .phase("steady"))
        for n in 0..<100 { story.operation(from: Double(n) * 0.1, to: Double(n) * 0.1 + 0.05) }
        story.say(10, .phase("faults"))
        story.fault(0, from: 10.5, to: 12)
        for n in 0..<300 { story.operation(from: 12 + Double(n) * 0.1, to: 12.05 + Double(n) * 0.1) }
        var picture = RunPicture()
        for event in story.events { picture.observe(event) }
        let curve = try #require(picture.recovery.curves.first)
        #expect(curve.injectedAt == 10_500_000_000 && curve.healedAt == 12_000_000_000)
        #expect(curve.series.start == 7_500_000_000)
        #expect(picture.recovery.baselineOKPerSecond == 10)
        // Three seconds before, less the half second in which nothing ran; twelve after the heal.
        #expect(curve.series.buckets.reduce(0) { $0 + $1.ok } == 25 + 120)
    }

    @Test func faultsBeyondTheLimitAreCounted() {
        var curves = RecoveryCurves()
        for n in 0..<100 { curves.observe(.inject(fault: n, kind: "restart", detail: ""), at: Int64(n)) }
        #expect(curves.curves.count == RecoveryCurves.limit && curves.notKept == 100 - RecoveryCurves.limit)
    }
}
