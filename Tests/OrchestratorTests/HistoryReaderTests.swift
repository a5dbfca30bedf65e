import Foundation
import HostSystem
import RigModel
import RigTestSupport
import Testing

@testable import Orchestrator

/// A history that was touched is refused with the line, or judged; never taken for whole.
@Suite struct HistoryReaderTests {
    private static func lines(operations: Int = 400) async throws -> [String] {
        let folder = try TemporaryFolder()
        let path = folder.file("history.jsonl")
        return try await onOwnThread(
            "write",
            throwing: { () throws(SystemError) in
                do { _ = try SyntheticHistory.write(operations: operations, to: path) } catch {
                    throw SystemError("write")
                }
                return (SmallFile.text(path) ?? "").split(separator: "\n").map(String.init)
            })
    }

    /// - Returns: the events; or why not.
    private static func read(_ lines: [String], end: String = "\n", threads: Int = 3) async throws -> Result<
        [Event], HistoryError
    > {
        let folder = try TemporaryFolder()
        let path = folder.file("history.jsonl")
        try SmallFile.write(Array((lines.joined(separator: "\n") + end).utf8), to: path)
        return await onOwnThread("read") {
            var events: [Event] = []
            do throws(HistoryError) {
                try HistoryReader(path: path, threads: threads).read { events.append($0) }
                return .success(events)
            } catch {
                return .failure(error)
            }
        }
    }

    private static func refusal(_ lines: [String], end: String = "\n") async throws -> HistoryError {
        switch try await read(lines, end: end) {
        case .success(let events):
            Issue.record("a history of \(events.count) events was taken for whole")
            return HistoryError(path: "", line: nil, problem: "")
        case .failure(let error): return error
        }
    }

    @Test(arguments: [1, 4])
    func whatWasWrittenComesBackInOrder(_ threads: Int) async throws {
        let lines = try await Self.lines(operations: 12_000)
        let events = try await Self.read(lines, threads: threads).get()
        #expect(lines.joined().utf8.count > 3 << 20, "several blocks")
        #expect(events.map(\.line) == lines)
        #expect(events.last?.kind == .end)
    }

    @Test func eventThatIsMissingIsSeenAtTheLineThatTookItsPlace() async throws {
        var lines = try await Self.lines()
        lines.remove(at: 500)
        let error = try await Self.refusal(lines)
        #expect(error.line == 501)
        #expect(error.problem.contains("event 501 where event 500 was expected"))
    }

    @Test func eventThatIsThereTwiceIsSeen() async throws {
        var lines = try await Self.lines()
        lines.insert(lines[300], at: 301)
        #expect(try await Self.refusal(lines).line == 302)
    }

    @Test func eventsInAnotherOrderAreSeen() async throws {
        var lines = try await Self.lines()
        lines.swapAt(100, 101)
        #expect(try await Self.refusal(lines).line == 101)
    }

    @Test func changedTimesAreSeen() async throws {
        var lines = try await Self.lines()
        let time = try #require(lines[600].firstMatch(of: /"t":(\d+)/))
        lines[600].replaceSubrange(time.range, with: #""t":\#((Int64(time.1) ?? 0) + 1)"#)
        let error = try await Self.refusal(lines)
        #expect(error.line == lines.count)
        #expect(error.problem.contains("digest"))
        lines[600].replace(/"t":\d+/, with: { _ in #""t":1"# })
        #expect(try await Self.refusal(lines).problem.contains("time runs backwards"))
    }

    @Test func changedValueIsSeenByTheDigest() async throws {
        var lines = try await Self.lines()
        let place = try #require(lines.firstIndex { $0.contains(#""balance":1000"#) })
        lines[place].replace(#""balance":1000"#, with: #""balance":1001"#)
        #expect(try await Self.refusal(lines).problem.contains("digest"))
    }

    @Test func endThatCountsOtherwiseIsSeen() async throws {
        var lines = try await Self.lines()
        lines[lines.count - 1].replace(/"events":\d+/, with: { _ in #""events":7"# })
        #expect(try await Self.refusal(lines).problem.contains("the end counts 7"))
    }

    @Test(
        arguments: [
            (#""t":\d+"#, #""t":4611686018427387903"#), (#""process":"probe""#, #""process":"pool""#),
            (#""process":"probe""#, #""process":3"#), (#""f":"end""#, #""f":"x""#), (#"\}$"#, "}\r"), (#"\}$"#, " }"),
        ])
    func endThatWasEditedIsSeen(_ pattern: String, _ replacement: String) async throws {
        var lines = try await Self.lines()
        let place = try #require(lines[lines.count - 1].firstRange(of: try Regex(pattern)))
        lines[lines.count - 1].replaceSubrange(place, with: replacement)
        let error = try await Self.refusal(lines)
        #expect(error.line == lines.count)
        #expect(error.problem.contains("the end is not as a run writes it"), "\(error)")
    }

    @Test func workersWhoseNumbersLeaveNoNextOneAreRefused() async throws {
        for number in [Int64.max, -1, 1 << 53 + 1] {
            var lines = try await Self.lines()
            let place = try #require(lines.firstIndex { $0.contains(#""process":3,"#) })
            lines[place].replace(#""process":3,"#, with: #""process":\#(number),"#)
            #expect(try await Self.refusal(lines).problem.contains(#""process" should be a worker's number"#))
        }
    }

    @Test func pipeIsRefusedAndNotWaitedFor() async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("history.jsonl")
        #expect(mkfifo(path, 0o600) == 0)
        for path in [path, "/dev/zero"] {
            let error = await onOwnThread("read") { () -> HistoryError? in
                do throws(HistoryError) { try HistoryReader(path: path).read { _ in } } catch { return error }
                return nil
            }
            #expect(error?.problem == "a regular file was expected, not a folder, a device or a pipe")
        }
    }

    @Test func lineWithoutEndIsRefusedBeforeItFillsTheMemory() async throws {
        let line = String(repeating: "x", count: 20 << 20)
        #expect(try await Self.refusal([line]).problem.contains("no event is so long"))
    }

    @Test func cutFileIsSeen() async throws {
        let lines = try await Self.lines()
        let cut = try await Self.refusal(Array(lines[..<700]))
        #expect(cut.line == 701)
        #expect(cut.problem.contains("without its end"))
        let half = Array(lines[..<700]) + [String(lines[700].prefix(20))]
        #expect(try await Self.refusal(half, end: "").problem.contains("the last line is not whole"))
        #expect(try await Self.refusal([], end: "").problem.contains("without its end"))
    }

    @Test func whatStandsBehindTheEndIsSeen() async throws {
        let lines = try await Self.lines()
        let error = try await Self.refusal(lines + [lines[3]])
        #expect(error.line == lines.count)
        #expect(error.problem == "something stands behind the end")
    }

    @Test func lineThatIsNoEventIsNamedWithItsFile() async throws {
        var lines = try await Self.lines()
        lines[42] = #"{"i":42,"t":"soon"}"#
        let error = try await Self.refusal(lines)
        #expect(error.line == 43)
        #expect(error.description.contains("history.jsonl:43: "))
        #expect(error.problem.contains(#""t" should be nanoseconds"#))
    }

    @Test func fileThatIsNotThereIsSaid() async {
        let error = await onOwnThread("read") { () -> HistoryError? in
            do throws(HistoryError) { try HistoryReader(path: "/no/such/history.jsonl").read { _ in } } catch {
                return error
            }
            return nil
        }
        #expect(error?.description == "/no/such/history.jsonl: cannot open it: No such file or directory")
    }
}
