import RigModel

/// What was found, each with what a person needs in order to believe it.
struct FindingSection: Sendable {
    /// Of one invariant; the others are folded away.
    private static let openLimit = 3

    private let results: [InvariantResult]
    /// By the number of the finding: its window's first finding, which names the figure.
    private let windows: [Int: Int]

    init(_ results: [InvariantResult], _ lanes: ConnectionLanes) {
        self.results = results
        var windows: [Int: Int] = [:]
        for picture in lanes.pictures {
            let numbers = picture.window.moments.map(\.finding)
            for number in numbers { windows[number] = numbers.min() }
        }
        self.windows = windows
    }

    var countWithoutWindow: Int { results.reduce(0) { $0 + $1.findings.count } - windows.count }

    var section: Section {
        var number = 0
        var body: HTML = ""
        for result in results where !result.findings.isEmpty {
            let cards = result.findings.map { finding -> HTML in
                number += 1
                return card(finding, number)
            }
            body +=
                "<h3 class=\"group\">\(ReportHead.badge(result.verdict)) \(result.name)</h3><p class=\"quiet\">\(result.summary)</p>\n"
            body += cards.prefix(Self.openLimit).map { $0 }.joined()
            let rest = cards.dropFirst(Self.openLimit)
            if !rest.isEmpty {
                body +=
                    "<details class=\"more\"><summary>\(rest.count) more of \(result.name)</summary>\(Array(rest))</details>\n"
            }
        }
        if number == 0 { body = "<p class=\"none\">Nothing was found.</p>\n" }
        // What was not judged may hide something.
        for result in results where result.findings.isEmpty && result.verdict != .valid {
            body +=
                "<h3 class=\"group\">\(ReportHead.badge(result.verdict)) \(result.name)</h3><p class=\"quiet\">\(result.summary)</p>\n"
        }
        return Section(id: "findings", title: number > 0 ? "Findings (\(number))" : "Findings", body: body)
    }

    private func card(_ finding: Finding, _ number: Int) -> HTML {
        var facts: [(name: String, value: HTML)] = []
        let link: HTML = windows[number].map { " · <a href=\"#window-\($0)\">connections around it</a>" } ?? ""
        if let time = finding.time { facts.append(("at", "\(NumberText.precise(time))\(link)")) }
        facts.append(("fault", "\(finding.activeFault)"))
        if let site = finding.site { facts.append(("borrowed at", "<code>\(site)</code>")) }
        if !finding.events.isEmpty {
            facts.append(
                (
                    "events",
                    "\(finding.events.map(String.init).joined(separator: ", ")) <span class=\"quiet\">of history.jsonl</span>"
                ))
        }
        return """
            <article class="finding" id="finding-\(number)"><h4><span class="number">\(number)</span> \(finding.title)</h4>\
            <dl><dt>expected</dt><dd>\(finding.expected)</dd><dt>seen</dt><dd>\(finding.seen)</dd></dl>\
            <dl class="where">\(facts.map { "<div><dt>\($0.name)</dt><dd>\($0.value)</dd></div>" as HTML })</dl></article>

            """
    }
}
