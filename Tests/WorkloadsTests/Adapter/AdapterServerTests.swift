import ConnectionPool
import EventLoop
import Foundation
import Glibc
import HostSystem
import RigModel
import RigTestSupport
import Testing
import Threading

@testable import Workloads

/// The adapter's side of the protocol, over real pipes: what is asked for in a line is done, and each request gets one answer.
@Suite(.timeLimit(.minutes(10)))
struct AdapterServerTests {
    /// Answers a statement `hang` when it is cancelled, and every other one at once with its own text.
    private final class EchoPool: PoolUnderTest {
        let runtime: LoopRuntime
        let requests = Watched<[UseRequest]>([])
        let closes = Watched(0)

        init(runtime: LoopRuntime) { self.runtime = runtime }

        func use(_ request: UseRequest) async -> UseReport {
            requests.change { $0.append(request) }
            let steps = request.steps(1)
            if steps.first?.text == "hang" {
                try? await runtime.sleep(until: .distantFuture)
                let failure = FailureDescription(
                    phase: .query, failureClass: FailureCause.cancelled.name, code: nil, message: "cancelled")
                return UseReport(outcome: .info, completion: Completion(error: failure))
            }
            let results = steps.map { SQLResult(rows: [[.text($0.text)] + $0.parameters]) }
            return UseReport(
                outcome: .ok, completion: Completion(connection: 1, backendPID: 99, acquireNanoseconds: 5_000),
                results: results)
        }

        var gauges: PoolGauges {
            var gauges = PoolGauges()
            gauges.open = 4
            return gauges
        }
        func metrics() -> [JSONValue.Member] { [.init("connectFailures", 3)] }
        func openLeases() -> JSONValue { [] }
        func close() async -> Int {
            closes.change {
                $0 += 1; return 2
            }
        }
    }

    private let loop: EventLoop
    private let pool: EchoPool
    private let made = Watched(0)
    private let requests = Pipe()
    private let answers = Pipe()
    private let thread: ServiceThread

    init() throws {
        loop = try EventLoop(name: "test")
        let runtime = LoopRuntime(loop: loop)
        let pool = EchoPool(runtime: runtime)
        self.pool = pool
        let made = self.made
        let input = requests.fileHandleForReading.fileDescriptor
        let output = answers.fileHandleForWriting.fileDescriptor
        thread = ServiceThread(name: "server") {
            let server = AdapterServer(
                hello: AdapterHello(pool: "echo", version: "1", capabilities: [.cancel, .leak]), answersTo: output,
                runtime: runtime
            ) { _ in
                made.change { $0 += 1 }
                return pool
            }
            server.serve(requestsFrom: input)
        }
    }

    /// Sends lines, ends the server, and returns what it said when it had said so many lines.
    private func converse(_ lines: [String], answers count: Int) async throws -> [JSONValue] {
        try requests.fileHandleForWriting.write(contentsOf: Data((lines.joined(separator: "\n") + "\n").utf8))
        let descriptor = answers.fileHandleForReading.fileDescriptor
        let found = await onOwnThread("answers") { () -> [JSONValue] in
            var lines = AdapterLines(limit: 1 << 20)
            var found: [JSONValue] = []
            var chunk = [UInt8](repeating: 0, count: 4096)
            while found.count < count {
                guard Waiting.forDescriptor(descriptor, until: .now.advanced(by: .seconds(120))) else { break }
                let got = read(descriptor, &chunk, chunk.count)
                guard got > 0 else { break }
                lines.add(Array(chunk[..<got]))
                while let line = try? lines.next()?.get() { found.append(line) }
            }
            return found
        }
        try requests.fileHandleForWriting.close()
        await onOwnThread("join") { [thread] in thread.join() }
        loop.shutdown()
        return found
    }

    private func answer(_ id: Int64, in lines: [JSONValue]) -> JSONValue? { lines.first { $0["id"]?.intValue == id } }

    @Test("The hello comes first, and a use is answered with the rows of each step")
    func useIsAnswered() async throws {
        let lines = try await converse(
            [
                #"{"id":1,"op":"use","steps":[{"sql":"a","params":[7,null]},{"sql":"b"}],"tx":true,"timeout_ms":250,"hold_ms":5}"#,
                #"{"id":2,"op":"stats"}"#, #"{"id":3,"op":"maintain"}"#, #"{"id":4,"op":"dance"}"#,
            ], answers: 5)
        #expect(
            AdapterHello.read(lines[0])
                == .success(AdapterHello(pool: "echo", version: "1", capabilities: [.cancel, .leak])))
        let use = try #require(answer(1, in: lines))
        #expect(use["status"] == "ok" && use["pid"] == 99 && use["acquire_us"] == 5)
        #expect(use["rows"] == [[["a", 7, nil]], [["b"]]])
        let request = try #require(pool.requests.value.first)
        #expect(request.isTransaction && request.acquireLimit == .milliseconds(250) && request.hold == .milliseconds(5))
        #expect(answer(2, in: lines)?["stats"]?["open"] == 4)
        #expect(answer(2, in: lines)?["stats"]?["metrics"]?["connectFailures"] == 3)
        #expect(answer(3, in: lines)?["status"] == "ok")
        #expect(answer(4, in: lines)?["status"] == "error")
    }

    @Test("A cancel finds a use that runs, both are answered, and it may be sent for one that does not exist")
    func cancelIsAnswered() async throws {
        let lines = try await converse(
            [
                #"{"id":1,"op":"use","steps":[{"sql":"hang"}]}"#, #"{"id":2,"op":"cancel","target":1}"#,
                #"{"id":3,"op":"cancel","target":77}"#,
            ], answers: 4)
        #expect(answer(1, in: lines)?["status"] == "cancelled")
        #expect(answer(2, in: lines)?["found"] == true)
        #expect(answer(3, in: lines)?["found"] == false)
    }

    @Test("A use past its deadline is cancelled")
    func deadlineEndsUse() async throws {
        let lines = try await converse(
            [#"{"id":1,"op":"use","steps":[{"sql":"hang"}],"deadline_ms":50}"#], answers: 2)
        #expect(answer(1, in: lines)?["status"] == "cancelled")
    }

    @Test("A pool is closed once, and opened again only after that")
    func closeAndOpen() async throws {
        // One after the other: requests overlap.
        try requests.fileHandleForWriting.write(
            contentsOf: Data("{\"id\":1,\"op\":\"open\"}\n{\"id\":2,\"op\":\"close\"}\n".utf8))
        try await pool.closes.wait { $0 == 1 }
        let lines = try await converse([#"{"id":3,"op":"use","steps":[[]]}"#, "nonsense"], answers: 5)
        #expect(answer(2, in: lines)?["cut"] == 2)
        #expect(made.value == 1, "an open pool was opened again")
        #expect(answer(3, in: lines)?["status"] == "error")
        #expect(lines.contains { $0["id"] == JSONValue.null && $0["class"] == "protocol" })
    }
}
