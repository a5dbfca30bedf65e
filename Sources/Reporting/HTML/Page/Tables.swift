import RigModel

/// A table whose columns of numbers stand right.
struct Table: Sendable {
    struct Column: Sendable {
        var name: String
        var isNumber = false
    }

    var caption: String
    var columns: [Column]
    var rows: [[HTML]]
    /// On a narrow page each row becomes a block, for tables of sentences.
    var isStacked = false

    var html: HTML {
        let head = columns.map { column -> HTML in
            "<th scope=\"col\"\(column.isNumber ? " class=\"n\"" as HTML : "")>\(column.name)</th>"
        }
        let body = rows.map { row -> HTML in
            let cells = zip(columns, row).enumerated().map { index, cell -> HTML in
                let style: HTML = cell.0.isNumber ? " class=\"n\"" : ""
                let label: HTML = isStacked ? " data-label=\"\(cell.0.name)\"" : ""
                return index == 0 ? "<th scope=\"row\"\(style)>\(cell.1)</th>" : "<td\(style)\(label)>\(cell.1)</td>"
            }
            return "<tr>\(cells)</tr>\n"
        }
        return """
            <div class="scroll" tabindex="0" role="region" aria-label="\(caption)"><table\(isStacked ? " class=\"stack\"" as HTML : "")><caption>\(caption)</caption>\
            <thead><tr>\(head)</tr></thead><tbody>\(body)</tbody></table></div>

            """
    }
}

struct InvariantTable: Sendable {
    private let results: [InvariantResult]

    init(_ results: [InvariantResult]) { self.results = results }

    var html: HTML {
        if results.isEmpty { return "<p class=\"none\">The scenario names no invariant.</p>\n" }
        return Table(
            caption: "What each invariant came to",
            columns: [.init(name: "Invariant"), .init(name: "Verdict"), .init(name: "What was looked at, and found")],
            rows: results.map { result in
                [
                    "\(result.name)", ReportHead.badge(result.verdict),
                    "\(result.summary)\(ValueTree(result.measured).folded("measured"))",
                ]
            }, isStacked: true
        ).html
    }
}

struct FaultTable: Sendable {
    private static let rowLimit = 400

    private let records: [FaultRecord]

    init(_ records: [FaultRecord]) { self.records = records }

    var html: HTML {
        if records.isEmpty { return "<p class=\"none\">No fault was injected.</p>\n" }
        let left = records.count - Self.rowLimit
        let rest: HTML = left > 0 ? "<p class=\"quiet\">and \(left) more, in report.json</p>\n" : ""
        return "\(table)\(rest)"
    }

    private var table: HTML {
        Table(
            caption: "Injections, and the proof of each",
            columns: [
                .init(name: "Fault"), .init(name: "What"), .init(name: "Injected", isNumber: true),
                .init(name: "Active for", isNumber: true), .init(name: "Landed"),
            ],
            rows: records.prefix(Self.rowLimit).map { record in
                let length = record.healedAtSeconds.map { TimeText.words(seconds: $0 - record.injectedAtSeconds) }
                let evidence: HTML =
                    record.evidence.stringValue.map { "<span class=\"evidence\">\($0)</span>" }
                    ?? ValueTree(record.evidence).folded("evidence")
                return [
                    "\(record.name)", "\(record.detail)",
                    "\(NumberText.clock(NumberText.nanoseconds(record.injectedAtSeconds)))",
                    "\(length ?? "never healed")", "\(Self.badge(record.landed))\(evidence)",
                ]
            }, isStacked: true
        ).html
    }

    private static func badge(_ landed: Bool) -> HTML {
        landed
            ? "<span class=\"badge valid\"><span aria-hidden=\"true\">✓</span> landed</span>"
            : "<span class=\"badge unknown\"><span aria-hidden=\"true\">?</span> no proof</span>"
    }
}
