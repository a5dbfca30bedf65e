import FaultProxy
import Foundation
import Testing

/// docs/proxy.md tells what the code knows, and nothing else.
@Suite struct CutDocsTests {
    /// The part on cut points.
    private let lines: [String]

    init() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardized
        let text = try String(contentsOf: root.appending(path: "docs/proxy.md"), encoding: .utf8)
        let all = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let start = try #require(all.firstIndex(of: "## Cut points"))
        lines = Array(all[start...])
    }

    /// The cells of a table's rows.
    private func table(_ head: String) throws -> [[String]] {
        let start = try #require(lines.firstIndex { $0.hasPrefix("| \(head) |") }, "a table of \(head)")
        return lines[(start + 2)...].prefix { $0.hasPrefix("|") }.map {
            $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
    }

    private func code(_ cell: String) -> [String] {
        cell.split(separator: "`", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }
            .map { String($0.element) }
    }

    @Test func theKeysAreThoseOfTheCode() throws {
        #expect(try table("key").flatMap { code($0[0]) } == CutRule.keys)
    }

    @Test func theActionsAreThoseOfTheCode() throws {
        let rows = try table("action")
        #expect(rows.flatMap { code($0[0]) } == CutRule.actions)
        for row in rows {
            for words in code(row[1]) { _ = try CutRule(words: "before Query \(words)") }
        }
    }

    @Test func thePresetsAreThoseOfTheCode() throws {
        let rows = try table("preset")
        #expect(rows.flatMap { code($0[0]) } == CutPreset.all.map(\.name))
        for (row, preset) in zip(rows, CutPreset.all) {
            #expect(row[1] == preset.summary)
            #expect(try CutRule(words: row[2]) == preset.rule())
        }
    }

    @Test func theMessagesAreThoseOfTheCode() throws {
        let rows = try table("messages")
        #expect(Set(rows.flatMap { code($0[0]) }) == Set(WireMessage.catalogue.map(\.name)))
        for row in rows {
            for name in code(row[0]) {
                let message = try WireMessage(named: name)
                #expect(row[1] == message.stream?.rawValue ?? "both", "\(name)")
                #expect((row.count > 2 && row[2].hasPrefix("have a `statement`")) == message.hasStatement, "\(name)")
            }
        }
    }

    @Test func theExamplesAreRules() throws {
        let start = try #require(lines.firstIndex(of: "```"))
        let examples = lines[(start + 1)...].prefix { $0 != "```" }
        #expect(examples.count > 5)
        for example in examples { _ = try CutRule(words: example) }
    }
}
