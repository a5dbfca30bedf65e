import Testing

@testable import Exposition

@Suite struct MetricsFormatTests {
    struct Row: CustomTestStringConvertible {
        let testDescription: String
        let accept: String
        let format: MetricsFormat
    }

    static let protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"

    static let rows = [
        Row(testDescription: "nothing said", accept: "", format: .text),
        Row(testDescription: "curl", accept: "*/*", format: .text),
        Row(
            testDescription: "Prometheus 2.42",
            accept:
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", format: .openMetrics),
        Row(
            testDescription: "Prometheus 2.42 that takes native histograms",
            accept: protobuf + ",application/openmetrics-text;version=1.0.0;q=0.8,"
                + "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            format: .protobuf),
        Row(
            testDescription: "the order does not count", accept: "text/plain;q=0.2, \(protobuf); q=0.3",
            format: .protobuf),
        Row(
            testDescription: "an older OpenMetrics only", accept: "application/openmetrics-text;version=0.0.1",
            format: .text),
        Row(testDescription: "another protobuf", accept: "application/vnd.google.protobuf;proto=x.Y", format: .text),
        Row(testDescription: "not wanted at all", accept: "application/openmetrics-text;q=0", format: .text),
        Row(testDescription: "a browser", accept: "text/html,application/xml;q=0.9,*/*;q=0.8", format: .text),
        Row(testDescription: "rubbish", accept: ";;q=,,;=q", format: .text),
    ]

    @Test("The form is the one that the client likes most", arguments: rows)
    func choice(_ row: Row) {
        #expect(MetricsFormat(accept: row.accept) == row.format)
    }
}
