import Foundation
import HostSystem
import RigModel
import RigTestSupport
import Testing

/// The HTML report of real runs, in a real browser.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct ReportSuite {
    private struct Case: Sendable, CustomTestStringConvertible {
        let scenario: String
        let changes: [String]
        let exitCode: Int32
        var testDescription: String { "\(scenario), exit code \(exitCode)" }
    }

    private static let cases = [
        // One operation in a hundred keeps its connection.
        Case(
            scenario: "kill-connections",
            changes: [
                "faults.0.every=2s", "faults.0.times=2", "workload.mix={append: 60, read: 25, transfer: 14, leak: 1}",
            ],
            exitCode: 1),
        // No server: no sessions, no finding.
        Case(scenario: "quickstart-sqlite", changes: [], exitCode: 0),
    ]

    @Test("A report is whole, needs nothing else, and can be read at any width", arguments: cases)
    private func reportIsReadable(_ row: Case) async throws {
        let folder = try TemporaryFolder()
        var arguments = ["run", "faults/\(row.scenario).yaml", "--out", folder.file("runs"), "--seed", "7"]
        for change in Rig.patient + row.changes { arguments += ["--set", change] }
        let result = try await Rig.command(arguments)
        #expect(result.exitCode == row.exitCode, "\(result.output)\n\(result.errors)")
        let run = folder.file("runs/\(row.scenario)/latest")
        let report = try JSONValue(parsing: String(contentsOfFile: run + "/report.json", encoding: .utf8))

        // Once more from what is stored.
        let again = try await Rig.command(["report", run, "--out", folder.file("again.html")])
        #expect(again.exitCode == 0, "\(again.errors)")

        let profile = folder.file("browser")
        try FileManager.default.createDirectory(atPath: profile, withIntermediateDirectories: true)
        let path = folder.path
        // Expectations on another thread would belong to no test.
        let problems = try await onOwnThread(
            "browser",
            throwing: { () throws(any Error) -> [String] in
                let browser = try BrowserPipe(folder: profile)
                var reader = try ReportReader(page: BrowserPage(in: browser), report: report)
                let result = Result {
                    try reader.read(
                        (run as NSString).resolvingSymlinksInPath + "/report.html", again: path + "/again.html")
                }
                let left = browser.end()
                try result.get()
                return reader.problems + left.map { "process \($0.pid) of the browser is left" }
            })
        #expect(problems == [])
    }

    /// The probes themselves: a page with every fault that they look for.
    @Test func aBadPageIsNoticed() async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("bad.html")
        try """
        <!DOCTYPE html><body style="background:#fff"><main><h1>A</h1><h3>skips a level</h3><p style="color:#aaa">faint</p>
        <div style="width:2000px">wide</div><svg width="100" height="20"><text x="0" y="15">one</text><text x="4" y="15">two</text></svg>
        <table><tr><td>no caption</td></tr></table><img src="http://127.0.0.1:9/x.png" alt=""><script>console.error("bad")</script></main>
        """.write(toFile: path, atomically: true, encoding: .utf8)
        let profile = folder.file("browser")
        try FileManager.default.createDirectory(atPath: profile, withIntermediateDirectories: true)
        let problems = try await onOwnThread(
            "browser",
            throwing: { () throws(any Error) -> [String] in
                let browser = try BrowserPipe(folder: profile)
                let result = Result {
                    let page = try BrowserPage(in: browser)
                    var reader = ReportReader(page: page, report: .null)
                    try reader.lookAround(try page.open(path, width: 1440, dark: false), path, "bad")
                    return reader.problems
                }
                _ = browser.end()
                return try result.get()
            })
        for word in [
            "requests for", "wider than", "one / two", "contrast: [\"P.", "without a name: [\"<svg", "<table",
            "levels [1, 3]",
            "Runtime.consoleAPICalled",
        ] {
            let isThere = problems.contains { $0.contains(word) }
            #expect(isThere, "\(word): \(problems)")
        }
    }
}
