import Foundation
import HostSystem
import Reporting
import RigModel
import RigTestSupport
import Testing

@testable import Orchestrator

/// What `check` makes of a soak's folders.
struct StoredSoakTests {
    private let fixture: SoakFixture
    private let soak: String

    init() throws {
        fixture = try SoakFixture()
        soak = try fixture.stored("20261121T220000Z-7") { log in
            log.windows = [1, 2].map { number in
                SoakWindow(
                    number: number, segment: 1, seed: UInt64(number) * 100, startedAt: "2026-11-21T22:00:00Z",
                    seconds: 60, verdict: .valid)
            }
        }
    }

    private func keep(_ window: Int, _ file: String) throws {
        let folder = "\(soak)/\(SoakWindow.folder(window))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try SmallFile.write(Array("{}\n".utf8), to: "\(folder)/\(file)")
    }

    private func refusal(_ folder: String) -> String {
        do throws(RunError) {
            _ = try StoredRun(folder).judge()
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test func windowIsJudgedByTheScenarioOfItsSoak() throws {
        try keep(2, "history.jsonl")
        let window = "\(soak)/\(SoakWindow.folder(2))"
        let path = StoredRun(window).scenarioPath
        #expect(path.hasSuffix("20261121T220000Z-7/scenario.yaml") && SmallFile.exists(path))
        // The scenario was found: what is wrong is the history.
        #expect(refusal(window).contains("history.jsonl") && !refusal(window).contains("scenario.yaml cannot be read"))
    }

    @Test func windowWithoutItsHistorySaysSo() throws {
        try keep(1, "excerpt.jsonl")
        let words = refusal("\(soak)/\(SoakWindow.folder(1))")
        #expect(words.contains("is a window of a soak, and its history is not kept whole"), "\(words)")
        #expect(words.contains("To run it again: chaosrig run ") && words.hasSuffix("--seed 100"), "\(words)")
    }

    @Test func soakIsJudgedWindowByWindow() throws {
        #expect(refusal(soak).contains("no window's history is kept whole"), "\(refusal(soak))")
        try keep(2, "history.jsonl")
        #expect(refusal(soak).contains("for example \(soak)/\(SoakWindow.folder(2))."), "\(refusal(soak))")
    }

    @Test func fileThatIsNoRunFolderIsCalledAFile() throws {
        let file = fixture.folder.file("s.yaml")
        try SmallFile.write([], to: file)
        #expect(StoredRun(file).hint == "; \(file) is a file, not a run folder")
        #expect(StoredRun("Package.swift").folder == "." || !SmallFile.exists("Package.swift"))
    }
}
