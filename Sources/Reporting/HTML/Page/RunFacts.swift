import RigModel

/// How to do it again, and on what it was done.
struct RunFacts: Sendable {
    private let report: RunReport
    private let scenario: String?

    init(_ report: RunReport, scenario: String?) {
        self.report = report
        self.scenario = scenario
    }

    var html: HTML {
        let yaml: HTML =
            scenario.map { "<details><summary>Scenario, as it was resolved</summary><pre>\($0)</pre></details>\n" }
            ?? ""
        let pool = Self.folded("The pool's own counters", report.pool)
        let resources = Self.folded("What the run took of the machine, at most", report.resources)
        return """
            <div class="command"><code id="replay">\(report.replay)</code><button type="button" data-copy="replay" hidden>Copy</button></div>
            <p class="quiet">This command draws the same faults and operations again.</p>
            <dl class="values facts"><dt>target</dt><dd>\(report.target)</dd><dt>seed</dt><dd>\(String(report.seed))</dd>\
            <dt>started</dt><dd>\(report.startedAt)</dd><dt>exit code</dt><dd>\(report.exitCode)</dd>\
            \(report.environment.map { "<dt>\($0.key)</dt><dd>\(ValueTree($0.value).html)</dd>" as HTML })</dl>
            \(yaml)\(pool)\(resources)
            """
    }

    private static func folded(_ title: String, _ members: [JSONValue.Member]) -> HTML {
        if members.isEmpty { return "" }
        return "<details class=\"tree\"><summary>\(title)</summary>\(ValueTree(.object(members)).html)</details>\n"
    }
}
