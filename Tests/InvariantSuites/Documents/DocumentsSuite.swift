import Foundation
import RigModel
import Testing

/// What the documents say of the repository and the program is so.
struct DocumentsSuite {
    /// Paths from the repository's root.
    private static let documents: [String] = {
        let pages = (try? FileManager.default.contentsOfDirectory(atPath: Rig.root + "/docs")) ?? []
        return ["README.md", "CONTRIBUTING.md"] + pages.filter { $0.hasSuffix(".md") }.sorted().map { "docs/\($0)" }
    }()

    private static func text(_ path: String) throws -> String {
        try String(contentsOfFile: "\(Rig.root)/\(path)", encoding: .utf8)
    }

    /// Without blocks of code.
    private static func prose(_ path: String) throws -> String {
        try text(path).replacing(/(?ms)^```.*?^```$/, with: "")
    }

    /// As GitHub makes them of headings.
    private static func anchors(_ path: String) throws -> Set<String> {
        Set(
            try prose(path).matches(of: /(?m)^#+ (.+)$/).map { heading in
                String(heading.1.lowercased().filter { $0.isLetter || $0.isNumber || $0 == "-" || $0 == " " })
                    .replacing(" ", with: "-")
            })
    }

    @Test("Every relative link leads somewhere", arguments: documents)
    func noLinkIsDead(_ document: String) throws {
        let folder = (document as NSString).deletingLastPathComponent
        for link in try Self.prose(document).matches(of: /\]\(([^)\s]+)\)/).map({ String($0.1) }) {
            guard !link.hasPrefix("https://"), !link.hasPrefix("http://") else { continue }
            let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let target = parts[0].isEmpty ? document : "\(folder.isEmpty ? "" : folder + "/")\(parts[0])"
            #expect(FileManager.default.fileExists(atPath: "\(Rig.root)/\(target)"), "\(document): \(link)")
            if parts.count == 2, target.hasSuffix(".md") {
                #expect(try Self.anchors(target).contains(parts[1]), "\(document): \(link) names no heading there")
            }
        }
    }

    @Test("Every file that a document names by its path is there", arguments: documents)
    func noPathIsStale(_ document: String) throws {
        let paths = /`((?:docs|faults|scripts|Sources|Tests)\/[\w\-+.\/]*[\w\-+])`/
        for path in try Self.prose(document).matches(of: paths).map({ String($0.1) }) {
            #expect(FileManager.default.fileExists(atPath: "\(Rig.root)/\(path)"), "\(document) names \(path)")
        }
    }

    @Test func readmeLeadsToEveryPage() throws {
        let readme = try Self.text("README.md")
        for page in Self.documents.dropFirst() { #expect(readme.contains("(\(page)"), "\(page)") }
    }

    @Test func architectureNamesEveryTarget() throws {
        let page = try Self.text("docs/architecture.md")
        let targets = try Self.text("Package.swift").matches(
            of: /(?:\.systemLibrary|\.executableTarget|[. ]target)\(\s*(?:name: )?"(\w+)"/
        ).map { String($0.1) }
        #expect(targets.count > 25)
        for target in targets { #expect(page.contains("`\(target)`"), "\(target)") }
    }

    @Test func readmeCountsWhatTheProgramHas() async throws {
        func count(_ arguments: String...) async throws -> Int {
            let listed = try await Rig.command(arguments + ["--json"])
            return try JSONValue(parsing: listed.output).arrayValue?.count ?? 0
        }
        let scenarios = try FileManager.default.contentsOfDirectory(atPath: Rig.root + "/faults").filter {
            $0.hasSuffix(".yaml")
        }
        let readme = try Self.text("README.md")
        for words in [
            "**\(try await count("list", "faults")) kinds of faults**",
            "**\(try await count("list", "invariants")) invariants**",
            "**\(try await count("selftest", "--list")) known defects**", "**\(scenarios.count) scenarios**",
        ] { #expect(readme.contains(words), "README.md should say \(words)") }
    }

    @Test("The image of a CI recipe has no make, until install-missing has put it there")
    func recipesInstallWhatTheyBuildWith() throws {
        let recipes = try Self.text("docs/ci.md").matches(of: /(?ms)^```\w+\n(.*?)^```$/).map { String($0.1) }
            .filter { $0.contains("make build") }
        #expect(recipes.count == 3)
        for recipe in recipes {
            let beforeBuild = recipe.components(separatedBy: "make build")[0]
            #expect(beforeBuild.contains("scripts/install-missing build server faults"), "\(recipe)")
        }
    }

    @Test("What a run prints is shown to its end, or up to a mark", arguments: ["README.md", "docs/tutorial.md"])
    func samplesSayWhereTheyAreCut(_ document: String) throws {
        let samples = try Self.text(document).matches(of: /(?ms)^```\n([✓✗] (?:IN)?VALID .*?)^```$/).map {
            String($0.1)
        }
        #expect(samples.count >= 2)
        for sample in samples {
            let lines = sample.split(separator: "\n").map { $0.drop { $0 == " " } }
            #expect(lines.last == "…" || lines.last?.hasPrefix("replay chaosrig ") == true, "\(document): \(sample)")
            let behind = lines.drop { $0 != "Invariants" }.dropFirst()
            let invariants = behind.prefix { "✓✗?".contains($0.prefix(1)) }.count
            let isWhole = sample.contains("VALID \(invariants) of")
            #expect(behind.isEmpty || isWhole || behind.dropFirst(invariants).first == "…", "\(document): \(sample)")
        }
    }

    @Test func everyShippedScenarioIsListed() throws {
        let page = try Self.text("docs/scenarios.md")
        for name in try FileManager.default.contentsOfDirectory(atPath: Rig.root + "/faults") {
            guard name.hasSuffix(".yaml") else { continue }
            #expect(page.contains("`\(name)`") || page.contains("`faults/\(name)`"), "\(name)")
        }
    }
}
