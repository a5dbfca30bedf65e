import RigModel
import Testing

@testable import Exposition

@Suite struct TextExpositionTests {
    private static let requests = MetricDefinition(
        "x_requests_total", .counter, "Requests, \"all\" \\ of\nthem", labels: ["kind"])
    private static let room = MetricDefinition("x_room_ratio", .gauge, "Room")
    private static let time = MetricDefinition("x_time_seconds", .histogram, "Time", labels: ["kind"])

    private var metrics: MetricCollection {
        var metrics = MetricCollection()
        metrics.add(Self.requests, ["a"], 3)
        metrics.add(Self.room, [], 0.25)
        metrics.add(Self.requests, ["b\"\\\n"], 1 << 40)
        var histogram = LatencyHistogram()
        histogram.add(nanoseconds: 500_000)
        histogram.add(nanoseconds: 2_000_000_000)
        metrics.add(Self.time, ["a"], HistogramSnapshot(histogram, bounds: [0.001, 1]))
        return metrics
    }

    @Test func samplesOfAMetricStandTogetherAndAreEscaped() {
        #expect(
            TextExposition(.classic).encode(metrics) == #"""
                # HELP x_requests_total Requests, "all" \\ of\nthem
                # TYPE x_requests_total counter
                x_requests_total{kind="a"} 3
                x_requests_total{kind="b\"\\\n"} 1099511627776
                # HELP x_room_ratio Room
                # TYPE x_room_ratio gauge
                x_room_ratio 0.25
                # HELP x_time_seconds Time
                # TYPE x_time_seconds histogram
                x_time_seconds_bucket{kind="a",le="0.001"} 1
                x_time_seconds_bucket{kind="a",le="1"} 1
                x_time_seconds_bucket{kind="a",le="+Inf"} 2
                x_time_seconds_sum{kind="a"} 2.0005
                x_time_seconds_count{kind="a"} 2

                """#)
    }

    @Test func openMetricsNamesCountersWithoutTheirEndingAndHasAnEnd() {
        let lines = TextExposition(.openMetrics).encode(metrics).split(separator: "\n").map(String.init)
        #expect(lines[0] == #"# HELP x_requests Requests, \"all\" \\ of\nthem"#)
        #expect(lines[1] == "# TYPE x_requests counter")
        #expect(lines[2] == #"x_requests_total{kind="a"} 3"#)
        #expect(lines.contains(#"x_time_seconds_bucket{kind="a",le="1.0"} 1"#))
        #expect(lines.last == "# EOF")
    }

    @Test func numbersThatAreNoneAreWrittenAsPrometheusReadsThem() {
        var metrics = MetricCollection()
        for value in [Double.nan, .infinity, -.infinity, 1e-7, 1e300, -3] { metrics.add(Self.room, [], value) }
        let values = TextExposition(.classic).encode(metrics).split(separator: "\n").dropFirst(2).map {
            $0.split(separator: " ")[1]
        }
        #expect(values == ["NaN", "+Inf", "-Inf", "1e-07", "1e+300", "-3"])
    }
}
