import Foundation
import HostSystem
import RigModel
import RigTestSupport
import Testing
import Threading

@testable import Orchestrator

/// Keeps what it saw.
private struct Seen: EventFold {
    var indices: [Int] = []
    mutating func observe(_ event: Event) { indices.append(event.index) }
}

private func withFolder<R>(_ body: (String) async throws -> R) async throws -> R {
    let folder = try TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    return try await body(folder.path)
}

@Test func historyIsDenseOrderedAndEndsWithItsDigest() async throws {
    try await withFolder { folder in
        let writer = try HistoryWriter(path: "\(folder)/h.jsonl", startedAt: .now, fold: Seen())
        await withTaskGroup { group in
            for worker in 0..<8 {
                group.addTask {
                    for count in 0..<500 { writer.record(.info, .worker(worker), "tick", JSONValue(count)) }
                }
            }
        }
        let fold = try writer.finish()
        #expect((fold as? Seen)?.indices == Array(0..<4000))

        let text = try String(contentsOfFile: "\(folder)/h.jsonl", encoding: .utf8)
        let lines = text.split(separator: "\n")
        let events = try lines.map { try Event(line: String($0)) }
        #expect(events.map(\.index) == Array(0...4000))
        #expect(zip(events, events.dropFirst()).allSatisfy { $0.time <= $1.time })
        let end = try #require(events.last)
        #expect(end.kind == .end)
        #expect(end.value["events"] == 4000)
        var digest = SHA256Digest()
        digest.update(Array((lines.dropLast().joined(separator: "\n") + "\n").utf8))
        #expect(end.value["digest"]?.stringValue == "sha256:\(digest.finish())")
    }
}

@Test func digestIsSHA256() {
    var digest = SHA256Digest()
    digest.update(Array("abc".utf8))
    #expect(digest.finish() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
}

@Test func nothingIsRecordedAfterTheEnd() async throws {
    try await withFolder { folder in
        let writer = try HistoryWriter(path: "\(folder)/h.jsonl", startedAt: .now, fold: Seen())
        _ = try writer.finish()
        writer.record(.info, .probe, "late")
        let text = try String(contentsOfFile: "\(folder)/h.jsonl", encoding: .utf8)
        #expect(text.split(separator: "\n").count == 1)
    }
}

@Test func historyThatCannotBeWrittenIsAnError() {
    #expect(throws: RunError.self) {
        _ = try HistoryWriter(path: "/nonexistent/h.jsonl", startedAt: .now, fold: Seen())
    }
}

@Test func runsOfTheSameSecondGetFoldersOfTheirOwn() async throws {
    try await withFolder { root in
        let now = Date()
        let first = try RunFolder(out: root, name: "a", startedAt: now, seed: 7)
        let second = try RunFolder(out: root, name: "a", startedAt: now, seed: 7)
        #expect(first.path != second.path)
        #expect(first.path.hasSuffix("Z-7"))
        first.linkLatest()
        second.linkLatest()
        let target = try FileManager.default.destinationOfSymbolicLink(atPath: "\(root)/a/latest")
        #expect(target == (second.path as NSString).lastPathComponent)
    }
}

@Test(
    "A folder that cannot be made is told in the system's words, and nothing was started",
    arguments: [
        ("/proc/nothing", "/proc/nothing: No such file or directory; choose another with --out"),
        ("/proc/version", "/proc/version is not a folder; choose another with --out"),
        ("/proc/version/runs", "/proc/version is not a folder;"),
    ])
func folderThatCannotBeMadeNamesTheWayOut(_ out: String, _ words: String) {
    #expect {
        _ = try RunFolder(out: out, name: "a", startedAt: Date(), seed: 7)
    } throws: { error in
        (error as? RunError)?.exitCode == 2 && "\(error)".contains(words)
    }
}

@Test func fileThatCannotBeWrittenLeavesNothingAndIsToldInTheSystemsWords() async throws {
    try await withFolder { root in
        let folder = try RunFolder(out: root, name: "a", startedAt: Date(), seed: 7)
        try SmallFile.makeFolder(folder.file("report.json"))
        #expect(throws: RunError.cannotProceed("cannot write \(folder.file("report.json")): Is a directory")) {
            try folder.write("{}", to: "report.json")
        }
        #expect(SmallFile.names(in: folder.path) == ["report.json"])
    }
}

@Test(arguments: [
    ("127.0.0.1", true), ("127.9.9.9", true), ("localhost", true), ("::1", true), ("/run/postgresql", true),
    ("10.0.0.1", false), ("127.0.0.1.example.org", false), ("db", false), ("127.0.0.256", false),
])
func loopbackIsToldFromOtherMachines(_ host: String, _ isLoopback: Bool) {
    #expect(LoopbackAddress.contains(host) == isLoopback)
}

@Test func gateLetsOneThroughAtATime() async {
    let gate = SerialGate()
    let inside = Counter()
    await withTaskGroup { group in
        for _ in 0..<100 {
            group.addTask { @Sendable in
                await gate.pass { @Sendable in
                    #expect(inside.add(1) == 1)
                    await Task.yield()
                    inside.add(-1)
                }
            }
        }
    }
    #expect(inside.add(0) == 0)
}

/// A number that tasks share.
private final class Counter: Sendable {
    private let value = Lock(0)

    @discardableResult
    func add(_ change: Int) -> Int {
        value.withLock { value in
            value += change
            return value
        }
    }
}
