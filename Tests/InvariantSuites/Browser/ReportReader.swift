import RigModel

/// Looks at the report of a run in every way in which people do, and notes what is wrong.
struct ReportReader {
    let page: BrowserPage
    /// `report.json` of the run.
    let report: JSONValue
    private(set) var problems: [String] = []

    init(page: BrowserPage, report: JSONValue) {
        self.page = page
        self.report = report
    }

    /// - Parameters:
    ///   - path: the page that the run wrote.
    ///   - again: the one that was made from what is stored.
    mutating func read(_ path: String, again: String) throws {
        for (width, dark) in [(1440, false), (390, false), (390, true), (1440, true)] {
            let complaints = try page.open(path, width: width, dark: dark)
            try lookAround(complaints, path, "at \(width) px, \(dark ? "dark" : "light")")
        }
        try compareNumbers("the run's own page")
        try useKeyboard()
        _ = try page.open(path, width: 390, dark: false)
        try useFinger()
        _ = try page.open(again, width: 1440, dark: false)
        try compareNumbers("the page that was made again")
        _ = try page.open(path, width: 1440, dark: false, script: false)
        let titles = try page.evaluate("document.querySelectorAll('.hits title').length").intValue ?? 0
        check(titles > 100, "without the script the browser's own tooltips are not there")
    }

    private mutating func check(_ isGood: Bool, _ problem: @autoclosure () -> String) {
        if !isGood { problems.append(problem()) }
    }

    /// No complaint, no request but for the page itself, nothing cut off or on top of something else, nothing too faint.
    mutating func lookAround(_ complaints: BrowserPage.Complaints, _ path: String, _ view: String) throws {
        check(complaints.console.isEmpty, "\(view): \(complaints.console)")
        check(complaints.requests == ["file://\(path)"], "\(view): requests for \(complaints.requests)")
        let overflow = try page.evaluate(PageProbes.overflow)
        check(overflow == 0, "\(view): \(overflow.compactText) px wider than the window")
        for (name, probe) in [
            ("texts on each other", PageProbes.overlappingTexts), ("too little contrast", PageProbes.faintTexts),
            ("without a name", PageProbes.nameless),
        ] {
            let found = try page.evaluate(probe)
            check(found == [], "\(view): \(name): \(found.compactText)")
        }
        let levels = try page.evaluate(PageProbes.headings).arrayValue?.compactMap(\.intValue) ?? []
        check(
            levels.first == 1 && zip(levels, levels.dropFirst()).allSatisfy { $1 <= $0 + 1 },
            "\(view): headings of the levels \(levels)")
    }

    /// What the page shows is what report.json says.
    private mutating func compareNumbers(_ which: String) throws {
        let shown = try page.evaluate("document.body.innerText").stringValue ?? ""
        let whole = try page.evaluate("document.body.textContent").stringValue ?? ""
        func text(_ key: String) -> String { report[key]?.stringValue ?? "no \(key)" }
        let badge = try page.evaluate("document.querySelector('.title .badge').textContent").stringValue ?? ""
        check(badge.hasSuffix(text("verdict")), "\(which): the verdict is \(badge)")
        var words = [text("scenario"), text("replay")]
        var count: Int64 = 0
        guard case .object(let operations)? = report["workload"] else { throw RigTestError("no workload") }
        for operation in operations {
            let numbers = ["ok", "fail", "info"].compactMap { operation.value[$0]?.intValue }
            count += numbers.reduce(0, +)
            let p99 = operation.value["latency_ms"]?["p99"]?.doubleValue ?? 0
            words += [Self.grouped(numbers[0]), TimeText.words(nanoseconds: Int64((p99 * 1e6).rounded()))]
        }
        words.append(Self.grouped(count))
        words += (report["faults"]?.arrayValue ?? []).map { $0["detail"]?.stringValue ?? "no detail" }
        for word in words { check(shown.contains(word), "\(which): \(word) is not shown") }
        for invariant in report["invariants"]?.arrayValue ?? [] {
            let titles = (invariant["findings"]?.arrayValue ?? []).compactMap { $0["title"]?.stringValue }
            for word in titles + [invariant["name"]?.stringValue ?? "no name"] {
                check(whole.contains(word), "\(which): \(word) is not there")
            }
        }
        let lanes = try page.evaluate("document.querySelectorAll('figure.lanes .lane').length").intValue ?? 0
        check((lanes > 0) == (text("verdict") == "invalid"), "\(which): \(lanes) lanes of connections")
    }

    /// The numbers of a plot can be had without a pointer.
    private mutating func useKeyboard() throws {
        for _ in 0..<200 {
            if try page.evaluate("document.activeElement.classList.contains('plot')") == true { break }
            try page.press("Tab")
        }
        try page.press("ArrowRight")
        try page.press("ArrowRight")
        let readout = try page.evaluate(
            "[document.getElementById('readout').hidden, document.getElementById('readout').textContent]")
        let text = readout.arrayValue?.last?.stringValue ?? ""
        check(
            readout.arrayValue?.first == false && text.hasPrefix("0.5 s\n"), "the readout says \(readout.compactText)")
        let lines = try page.evaluate("document.querySelectorAll('.cross').length").intValue ?? 0
        check(lines > 5, "the line at the pointer crosses \(lines) plots")
        try page.press("Escape")
        check(try page.evaluate("document.getElementById('readout').hidden") == true, "Escape leaves the readout")
    }

    /// They can be had on a phone, too, and stay there when the finger is lifted.
    private mutating func useFinger() throws {
        let place = """
            (function () {
              var plot = document.querySelector('.timeline svg.plot');
              plot.scrollIntoView({ block: 'center', behavior: 'instant' });
              var columns = plot.querySelectorAll('.hits rect');
              return [columns[2], columns[columns.length - 2]].map(function (column) {
                var box = column.getBoundingClientRect();
                return [box.left + box.width / 2, box.top + box.height / 2];
              });
            })()
            """
        let ends = (try page.evaluate(place).arrayValue ?? []).map { end in
            (x: end.arrayValue?.first?.doubleValue ?? 0, y: end.arrayValue?.last?.doubleValue ?? 0)
        }
        guard ends.count == 2 else { throw RigTestError("the page has no plot") }
        func readout() throws -> String {
            try page.evaluate(
                "document.getElementById('readout').hidden ? '' : document.getElementById('readout').textContent"
            )
            .stringValue ?? ""
        }
        try page.touch(ends[0], to: ends[0])
        let first = try readout()
        check(first.hasPrefix("0.5 s\n"), "a finger on a plot reads \(first)")
        try page.touch(ends[0], to: ends[1])
        let second = try readout()
        check(!second.isEmpty && second != first, "a finger that moved reads \(second)")
        let heading = try page.evaluate(
            """
            (function () {
              window.scrollTo({ top: 0, behavior: 'instant' });
              var box = document.querySelector('h1').getBoundingClientRect();
              return [box.left + 5, box.top + 5];
            })()
            """)
        let elsewhere = (x: heading.arrayValue?.first?.doubleValue ?? 0, y: heading.arrayValue?.last?.doubleValue ?? 0)
        try page.touch(elsewhere, to: elsewhere)
        check(try readout().isEmpty, "a finger elsewhere leaves the readout")
    }

    private static func grouped(_ number: Int64) -> String {
        let digits = Array(String(number))
        return digits.indices.map { index in
            let begins = index > 0 && (digits.count - index) % 3 == 0
            return begins ? ",\(digits[index])" : String(digits[index])
        }.joined()
    }
}
