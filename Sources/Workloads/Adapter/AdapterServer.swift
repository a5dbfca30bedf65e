package import ConnectionPool
import Glibc
import HostSystem
package import RigModel
import Threading

/// The adapter's side of the protocol for a pool of ours: reads requests, does each in a task of its own, answers in any order.
/// Thread-safe.
package final class AdapterServer: Sendable {
    /// Makes the pool: at the start, and again at each `open`.
    package typealias MakePool = @Sendable (any EventSink) -> any PoolUnderTest

    private struct State: Sendable {
        var pool: any PoolUnderTest
        var running: [Int64: Task<Void, Never>] = [:]
        var isClosed = false
    }

    private let output: AdapterOutput
    private let runtime: any PoolRuntime
    private let makePool: MakePool
    private let state: Lock<State>

    /// Makes the pool, and says hello.
    ///
    /// - Parameter descriptor: where answers go.
    package init(
        hello: AdapterHello, answersTo descriptor: Int32, runtime: any PoolRuntime, makePool: @escaping MakePool
    ) {
        let output = AdapterOutput(descriptor: descriptor)
        self.output = output
        self.runtime = runtime
        self.makePool = makePool
        output.send(hello.line)
        state = Lock(State(pool: makePool(output)))
    }

    /// For what else this process has to tell.
    package var sink: any EventSink { output }

    /// Serves requests until `exit`, or the end of the input: then the rig is gone, or wants this process gone. On the calling
    /// thread, which blocks.
    package func serve(requestsFrom descriptor: Int32) {
        var lines = AdapterLines(limit: 64 << 20)
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let got = read(descriptor, &chunk, chunk.count)
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else { return }
            lines.add(Array(chunk[..<got]))
            while let line = lines.next() {
                switch line {
                case .success(let request):
                    if request["op"]?.stringValue == "exit" { return }
                    begin(request)
                case .failure(let problem):
                    output.send(["id": .null, "status": "error", "class": "protocol", "message": .string("\(problem)")])
                }
            }
        }
    }

    private func begin(_ request: JSONValue) {
        let id = request["id"]?.intValue ?? 0
        if request["op"]?.stringValue == "cancel" {
            let target = state.withLock { $0.running[request["target"]?.intValue ?? 0] }
            target?.cancel()
            output.send(["id": JSONValue(id), "status": "ok", "found": .bool(target != nil)])
            return
        }
        // The task takes itself off the list, which must not come before it is put there.
        state.withLock { state in
            state.running[id] = runtime.run(near: -1) { [self] in
                let answer = await answer(to: request)
                _ = self.state.withLock { $0.running.removeValue(forKey: id) }
                output.send(answer)
            }
        }
    }

    private func answer(to request: JSONValue) async -> JSONValue {
        let id = request["id"] ?? .null
        let pool = state.withLock { $0.pool }
        switch request["op"]?.stringValue {
        case "use": return await use(request, pool).line(id: id)
        case "stats":
            return AdapterStats.line(
                id: id, gauges: pool.gauges, metrics: pool.metrics(), leases: pool.openLeases(),
                wallClock: Self.wallClock)
        case "take-all":
            guard let answer = await pool.takeAll(Int(clamping: request["count"]?.intValue ?? 0)) else {
                return ["id": id, "status": "ok"]
            }
            return [
                "id": id, "status": "ok", "got": JSONValue(answer.got),
                "took_us": JSONValue(answer.took.nanoseconds / 1_000),
            ]
        // The pool keeps its own house.
        case "maintain": return ["id": id, "status": "ok"]
        case "close":
            let isFirst = state.withLock { state in
                defer { state.isClosed = true }
                return !state.isClosed
            }
            return ["id": id, "status": "ok", "cut": JSONValue(isFirst ? await pool.close() : 0)]
        case "open":
            state.withLock { state in
                guard state.isClosed else { return }
                state.pool = makePool(output)
                state.isClosed = false
            }
            return ["id": id, "status": "ok"]
        case let other:
            return [
                "id": id, "status": "error", "phase": "query", "class": "protocol", "sqlstate": .null,
                "message": .string("unknown op \(other ?? "nothing")"),
            ]
        }
    }

    private func use(_ line: JSONValue, _ pool: any PoolUnderTest) async -> AdapterAnswer {
        let startedAt = runtime.now
        guard let use = AdapterUse(line) else {
            var answer = AdapterAnswer()
            answer.failure = AdapterAnswer.Failure(
                phase: .acquire, failureClass: FailureCause.poolRefused.name, sqlState: nil,
                message: "a step without sql, or a parameter that is a list or an object", outcome: .fail)
            return answer
        }
        let steps = use.steps
        var request = UseRequest(
            isTransaction: use.isTransaction, isReadOnly: use.isReadOnly, leaks: use.leaks, site: .here()
        ) { _ in steps }
        request.acquireLimit = use.timeout
        request.hold = use.hold
        let timer = use.deadline.map { cancelWhenLate(line["id"]?.intValue ?? 0, $0) }
        let report = await pool.use(request)
        timer?.cancel()
        var answer = AdapterAnswer(report, total: startedAt.duration(to: runtime.now))
        if !use.wantsRows { answer.results = [] }
        return answer
    }

    /// The deadline of a whole use goes the way of a cancellation: the pool's own limits are others.
    private func cancelWhenLate(_ id: Int64, _ deadline: Duration) -> Task<Void, Never> {
        let end = runtime.now.advanced(by: deadline)
        return runtime.run(near: -1) { [self] in
            guard (try? await runtime.sleep(until: end)) != nil else { return }
            state.withLock { $0.running[id] }?.cancel()
        }
    }

    /// As this process sees it: a shared library may have changed it.
    private static var wallClock: Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// Whole lines to one descriptor. Events go the same way as answers. Thread-safe; waits while the rig does not read.
private final class AdapterOutput: EventSink {
    private let descriptor: Int32
    private let gate = Lock(())
    private let startedAt = MonotonicInstant.now

    init(descriptor: Int32) { self.descriptor = descriptor }

    func send(_ line: JSONValue) {
        var bytes: [UInt8] = []
        line.write(to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        let whole = bytes
        // A rig that is gone ends the input, too.
        gate.withLock { _ in try? SmallFile.writeAll(whole, to: descriptor, path: "standard output") }
    }

    func record(
        _ kind: Event.Kind, _ process: Event.Process, _ function: String, _ value: JSONValue, _ completion: Completion?
    ) -> Int64 {
        send(["event": .string(function), "value": value])
        return startedAt.duration(to: .now).nanoseconds
    }
}
