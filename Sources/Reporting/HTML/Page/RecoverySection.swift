import RigModel

/// A curve for each fault, and the times until it was back.
struct RecoverySection: Sendable {
    private let report: RunReport
    private let picture: RunPicture

    init(_ report: RunReport, _ picture: RunPicture) {
        self.report = report
        self.picture = picture
    }

    /// `nil` where no fault was injected.
    var section: Section? {
        if picture.recovery.curves.isEmpty && report.recovery.isEmpty { return nil }
        var records: [String: RecoveryRecord] = [:]
        for record in report.recovery { records[record.fault] = record }
        let figures = picture.recovery.curves.compactMap { curve in
            RecoveryFigure(
                curve, records["\(curve.kind) #\(curve.fault)"], picture.recovery, duration: picture.duration)?.html
        }
        let left = picture.recovery.notKept
        let rest: HTML = left > 0 ? "<p class=\"quiet\">\(left) later faults have no curve.</p>\n" : ""
        let legend: HTML = """
            <ul class="legend wide"><li><svg width="18" height="12" aria-hidden="true"><rect class="key k0" x="1" y="2" width="16" height="8"/></svg>successes per second</li>\
            <li><svg width="18" height="12" aria-hidden="true"><path class="line p95" d="M1 6H17"/></svg>open connections</li>\
            <li><svg width="18" height="12" aria-hidden="true"><path class="mark first" d="M9 0V12"/></svg>first success after the heal</li>\
            <li><svg width="18" height="12" aria-hidden="true"><path class="mark" d="M9 0V12"/></svg>throughput back</li>\
            <li><svg width="18" height="12" aria-hidden="true"><rect class="band" x="1" y="0" width="16" height="12"/></svg>fault active</li></ul>
            """
        return Section(
            id: "recovery", title: "Recovery",
            body: """
                <p class="hint">Against the steady phase before the faults, which is 100 %; drawn up to 150 %. The times count from the heal.</p>
                \(legend)<div class="curves">\(figures)</div>\(rest)\(table)
                """)
    }

    static func words(_ seconds: Double?) -> String {
        seconds.map { $0 == 0 ? "at once" : TimeText.words(seconds: $0) } ?? "never"
    }

    private var table: HTML {
        if report.recovery.isEmpty { return "" }
        func words(_ seconds: Double?) -> HTML { "\(Self.words(seconds))" }
        let html = Table(
            caption: "Time from the heal until it was back",
            columns: [.init(name: "Fault")]
                + ["first ok", "full pool", "throughput", "p95", "lost operations"].map {
                    .init(name: $0, isNumber: true)
                },
            rows: report.recovery.map { record in
                [
                    "\(record.fault)", words(record.firstOkSeconds), words(record.fullPoolSeconds),
                    words(record.baselineThroughputSeconds), words(record.baselineP95Seconds),
                    "\(NumberText.count(record.lostOperations))",
                ]
            }
        ).html
        return "<details><summary>As a table</summary>\(html)</details>\n"
    }
}
