import Glibc
import HostSystem
import RigTestSupport
import Testing

@testable import Orchestrator

struct LongLogTests {
    private let folder: TemporaryFolder
    private var path: String { folder.file("server.log") }

    init() throws { folder = try TemporaryFolder() }

    private func write(_ numbers: ClosedRange<Int>) throws {
        let text = numbers.map { "line \($0)\n" }.joined()
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        defer { close(descriptor) }
        try SmallFile.writeAll(Array(text.utf8), to: descriptor, path: path)
    }

    private var lines: [String] { (SmallFile.text(path) ?? "").split(separator: "\n").map(String.init) }

    @Test func longLogKeepsItsBeginAndItsEnd() throws {
        try write(1000...9999)
        let size = try #require(SmallFile.size(path))
        LongLog.shorten(path, limit: 10_000, kept: 1000)
        #expect(lines.first == "line 1000" && lines.last == "line 9999")
        let cut = try #require(lines.firstIndex { $0.hasPrefix("[chaosrig]") })
        let told = try #require(lines[cut].split(separator: " ").last.flatMap { Int($0) })
        #expect(lines[cut - 1] == "line 1099" && (lines.count - 1) * 10 == size - told)

        // Once more: what was cut out before counts, too; who writes with O_APPEND goes on behind the end.
        try write(10_000...19_999)
        LongLog.shorten(path, limit: 10_000, kept: 1000)
        #expect(lines.first == "line 1000" && lines.last == "line 19999")
        #expect(lines.count { $0.hasPrefix("[chaosrig]") } == 1)
        let again = try #require(lines[cut].split(separator: " ").last.flatMap { Int($0) })
        #expect(again > told + 100_000)
    }

    @Test func writerThatHasItOpenGoesOnAtTheNewEnd() throws {
        try write(1000...2999)
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        defer { close(descriptor) }
        LongLog.shorten(path, limit: 10_000, kept: 1000)
        let size = try #require(SmallFile.size(path))
        try SmallFile.writeAll(Array("last\n".utf8), to: descriptor, path: path)
        #expect(SmallFile.size(path) == size + 5 && lines.last == "last")
    }

    @Test func onlyLongLogsAreTouched() throws {
        try write(1000...1999)
        let before = SmallFile.text(path)
        LongLog.shorten(path, limit: 10_000, kept: 1000)
        #expect(SmallFile.text(path) == before)

        let big = [UInt8](repeating: UInt8(ascii: "x"), count: LongLog.limit + 1)
        try SmallFile.write(big, to: folder.file("pool.log"))
        try SmallFile.write(big, to: folder.file("history.jsonl"))
        symlink(folder.file("history.jsonl"), folder.file("link.log"))
        LongLog.shortenAll(in: folder.path)
        #expect(SmallFile.size(folder.file("pool.log")) ?? .max < 3 << 20)
        #expect(SmallFile.size(folder.file("history.jsonl")) == big.count)
    }
}
