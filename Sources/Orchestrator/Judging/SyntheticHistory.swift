import Glibc
import HostSystem
package import RigModel

/// A history of any length as a run of our own pool would write it, all of it valid: what the judge is measured with, and what
/// tests change something in.
///
/// 32 workers append, read and transfer, a thousand operations a second; a restart each minute; gauges, samples and the final
/// reads as in a run.
package struct SyntheticHistory: Sendable {
    private static let workers = 32
    private static let accounts = 64
    private static let idsPerPart = 10_000

    private var generator: SeededGenerator
    private let operations: Int
    private let scenario: String
    private var index = 0
    private var time: Int64 = 0
    private var appended: [Int64] = []

    /// - Parameters:
    ///   - operations: each has two events.
    ///   - scenario: text of the `scenario.yaml` that it belongs to.
    package init(operations: Int, scenario: String = "", seed: UInt64 = 1) {
        self.operations = operations
        self.scenario = scenario
        generator = SeededGenerator(seed: seed, stream: "history")
    }

    /// Writes it as `history.jsonl`.
    ///
    /// - Returns: how many events it has.
    /// - Throws: when it cannot be written.
    package static func write(operations: Int, to path: String) throws -> Int {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SystemError("create \(path)") }
        defer { close(descriptor) }
        var history = SyntheticHistory(operations: operations)
        var digest = SHA256Digest()
        var bytes: [UInt8] = []
        func flush() throws {
            digest.update(bytes)
            try SmallFile.writeAll(bytes, to: descriptor, path: path)
            bytes.removeAll(keepingCapacity: true)
        }
        var failure: (any Error)?
        history.make { event in
            event.write(to: &bytes)
            bytes.append(UInt8(ascii: "\n"))
            if bytes.count > 1 << 20, failure == nil { do { try flush() } catch { failure = error } }
        }
        if let failure { throw failure }
        try flush()
        HistoryRules.end(events: history.index, time: history.time, digest: digest.soFar()).write(to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        try flush()
        return history.index + 1
    }

    /// All events but the last one, of type `end`.
    package mutating func make(_ body: (Event) -> Void) {
        begin(body)
        var restarts = 0
        for number in 0..<operations {
            time += 1_000_000
            operation(number, body)
            if number % 50 == 0 { gauges(body) }
            if number % 60_000 == 30_000 {
                restart(restarts, body)
                restarts += 1
            }
        }
        end(body, restarts)
    }

    private func event(
        _ kind: Event.Kind, _ process: Event.Process, _ function: String, _ value: JSONValue,
        _ completion: Completion? = nil
    ) -> Event {
        Event(
            index: index, time: time, kind: kind, process: process, function: function, value: value,
            completion: completion)
    }

    private mutating func say(
        _ body: (Event) -> Void, _ kind: Event.Kind, _ process: Event.Process, _ function: String, _ value: JSONValue,
        _ completion: Completion? = nil
    ) {
        body(event(kind, process, function, value, completion))
        index += 1
    }

    private mutating func say(_ body: (Event) -> Void, _ fact: NemesisFact) {
        say(body, .info, .nemesis, fact.function, fact.value)
    }

    // MARK: Parts

    private mutating func begin(_ body: (Event) -> Void) {
        let second: Int64 = 1_000_000_000
        say(
            body, .info, .pool, "configured",
            [
                "max_open": 10, "min_idle": 0, "acquire_timeout_ns": .int(2 * second),
                "connect_timeout_ns": .int(second),
                "statement_timeout_ns": .int(5 * second), "release_timeout_ns": .int(2 * second),
                "close_timeout_ns": .int(5 * second), "retry": "safe", "retry_attempts": 4,
                "retry_budget_ns": .int(5 * second),
            ])
        say(
            body, .info, .probe, "run",
            RunRecord.started(
                scenario: "synthetic", text: scenario, seed: 1, plannedInjections: (operations + 29_999) / 60_000))
        say(body, .info, .probe, "accounts", ["accounts": JSONValue(Self.accounts), "total": JSONValue(total)])
        for connection in 1...10 {
            say(
                body, .info, .pool, "connection-opened",
                ["conn": JSONValue(connection), "pid": JSONValue(1000 + connection), "took_ns": 2_000_000])
        }
        for phase in ["warm-up", "steady", "faults"] { say(body, .phase(phase)) }
    }

    private var total: Int { Self.accounts * 1000 }

    private mutating func operation(_ number: Int, _ body: (Event) -> Void) {
        let worker = Event.Process.worker(number % Self.workers)
        let connection = number % 10 + 1
        let draw = Int.random(in: 0..<100, using: &generator)
        let function = draw < 60 ? "append" : draw < 80 ? "read" : "transfer"
        let id = Int64(number + 1) << 4
        let account = draw % Self.accounts
        let value: JSONValue =
            switch function {
            case "append": .int(id)
            case "read": ["account": JSONValue(account)]
            default: ["from": JSONValue(account), "to": JSONValue((account + 1) % Self.accounts), "amount": 5]
            }
        say(body, .invoke, worker, function, value)
        let acquire = Int64.random(in: 2_000..<90_000, using: &generator)
        let query = Int64.random(in: 100_000..<900_000, using: &generator)
        time += acquire + query + 4_000
        if function == "append" { appended.append(id | 1) }
        say(
            body, .ok, worker, function,
            function == "read" ? ["account": JSONValue(account), "balance": 1000] : value,
            Completion(
                attempt: 1, connection: connection, backendPID: 1000 + connection, acquireNanoseconds: acquire,
                queryNanoseconds: query, releaseNanoseconds: 4_000, leasedAt: time - query - 4_000, returnedAt: time))
    }

    private mutating func gauges(_ body: (Event) -> Void) {
        say(
            body, .info, .pool, "gauges",
            ["open": 10, "idle": 9, "in_use": 1, "connecting": 0, "waiting": 0])
        say(
            body, .info, .probe, "sample",
            ["server_sessions": 10, "client_sockets": 10, "descriptors": 40, "rss_bytes": 40_000_000])
    }

    private mutating func restart(_ number: Int, _ body: (Event) -> Void) {
        say(body, .inject(fault: number, kind: "restart", detail: "restart fast, down for 0 s"))
        time += 1_000_000
        say(body, .landed(fault: number, kind: "restart", landed: true, evidence: "57P03"))
        say(body, .heal(fault: number, kind: "restart", ok: true, forced: false, facts: .null))
    }

    private mutating func end(_ body: (Event) -> Void, _ restarts: Int) {
        for phase in ["settle", "drain"] {
            time += 1_000_000
            say(body, .phase(phase))
        }
        books("quiesced", open: 10, body)
        let parts = max(1, (appended.count + Self.idsPerPart - 1) / Self.idsPerPart)
        for part in 0..<parts {
            let ids = appended[(part * Self.idsPerPart)..<min(appended.count, (part + 1) * Self.idsPerPart)]
            say(
                body, .info, .probe, "final-appends",
                ["ids": .array(ids.map { .int($0) }), "part": JSONValue(part), "parts": JSONValue(parts)])
        }
        say(
            body, .info, .probe, "final-balances",
            ["accounts": JSONValue(Self.accounts), "total": JSONValue(total), "negative": 0])
        for connection in 1...10 {
            say(
                body, .info, .pool, "connection-closed",
                ["conn": JSONValue(connection), "pid": JSONValue(1000 + connection), "reason": "pool-closed"])
        }
        say(body, .info, .pool, "closed", ["took_ns": 1_000_000, "limit_ns": 5_000_000_000, "leases_cut": 0])
        books("closed", open: 0, body)
        say(body, .info, .probe, "outcome", RunRecord.outcome(problems: [], signal: nil))
        say(body, .phase("end"))
    }

    private mutating func books(_ at: String, open: Int, _ body: (Event) -> Void) {
        let sessions = (0..<open).map { number -> JSONValue in
            ["pid": JSONValue(1001 + number), "state": "idle", "query": "COMMIT"]
        }
        say(
            body, .info, .probe, "books",
            [
                "at": .string(at), "pool": ["open": JSONValue(open), "in_use": 0, "idle": JSONValue(open)],
                "leases": [], "client_sockets": JSONValue(open), "server_sessions": JSONValue(open),
                "sessions": .array(sessions),
            ])
    }
}
