import RigModel

/// What each kind of operation achieved, and why the others failed.
struct WorkloadTable: Sendable {
    private static let failureLimit = 12

    private let report: RunReport

    init(_ report: RunReport) { self.report = report }

    var html: HTML {
        if report.workload.isEmpty { return "<p class=\"none\">No operation was tried.</p>\n" }
        var html = operations
        html += failures
        if report.droppedOperations > 0 {
            html +=
                "<p>\(NumberText.count(report.droppedOperations)) scheduled operations were never started, because every client was busy.</p>\n"
        }
        return html
    }

    private var operations: HTML {
        Table(
            caption: "Operations by kind; latency of the successful ones",
            columns: [.init(name: "Kind")]
                + ["ok", "fail", "info", "p50", "p90", "p99", "p99.9", "max"].map { .init(name: $0, isNumber: true) },
            rows: report.workload.map { operation in
                func latency(_ quantile: Double) -> HTML {
                    "\(operation.latency.nanoseconds(atQuantile: quantile).map { TimeText.words(nanoseconds: $0) } ?? "-")"
                }
                return [
                    "\(operation.kind)", "\(NumberText.count(operation.ok))", "\(NumberText.count(operation.fail))",
                    "\(NumberText.count(operation.info))", latency(0.5), latency(0.9), latency(0.99), latency(0.999),
                    latency(1),
                ]
            }
        ).html
    }

    private var failures: HTML {
        let rows = report.workload.flatMap { operation in
            let rest = operation.failures.dropFirst(Self.failureLimit)
            let more: [HTML] = [
                "\(operation.kind)", "and \(rest.count) more, in report.json",
                "\(NumberText.count(rest.reduce(0) { $0 + $1.count }))",
            ]
            return operation.failures.prefix(Self.failureLimit).map { failure -> [HTML] in
                ["\(operation.kind)", "<code>\(failure.name)</code>", "\(NumberText.count(failure.count))"]
            } + (rest.isEmpty ? [] : [more])
        }
        if rows.isEmpty { return "<p class=\"none\">No operation failed.</p>\n" }
        return Table(
            caption: "Failures by class, with the server's code",
            columns: [.init(name: "Kind"), .init(name: "Failure"), .init(name: "Times", isNumber: true)], rows: rows
        ).html
    }
}
