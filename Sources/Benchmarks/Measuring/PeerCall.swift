/// One measurement, in the words of the peers' harness: `SCEN OP WORKERS POOL SECS|ROWS`.
package struct PeerCall: Sendable, Hashable, CustomStringConvertible {
    package enum Scenario: String, Sendable, CaseIterable {
        /// Acquire and release, no query.
        case acquire = "A"
        /// The same with the connection held for 100 µs, so that most acquires wait.
        case acquireAndHold = "Ahold"
        /// One statement per acquire: `select1`, `pk`, `upd`.
        case query = "B"
        /// Batches of ``Tuning/depth`` statements, a connection per worker: `pk`, `upd`.
        case pipeline = "Bpipe"
        /// A new connection for each statement.
        case connect = "C"
        /// Rows into a table: `one`, `multi`, `pipe`, `copy`, `copyrows`.
        case bulk = "D"
        /// Idle connections: memory and processor time.
        case idle = "F"
        /// SQLite: `read`, `write`, `mix90`.
        case sqlite = "S"
        /// A shop: cached reads, transactions, batched writes; popular keys come more often.
        case orderEntry = "OLTP"
    }

    /// How ours is measured beyond the five words: options of the command line.
    package struct Variation: Sendable, Hashable {
        /// Statements per batch in ``Scenario/pipeline``.
        package var depth = 100
        /// Whether the pool keeps its books.
        package var isInstrumented = true

        /// By how much a waiter may overtake those on other event loops; `nil`: as the pool has it.
        package var overtakingMicroseconds: Int?

        package init() {}

        /// As options of `chaosrig bench peer`.
        package var words: [String] {
            (depth == 100 ? [] : ["--depth", "\(depth)"]) + (isInstrumented ? [] : ["--no-instrumentation"])
                + (overtakingMicroseconds.map { ["--overtaking", "\($0)"] } ?? [])
        }
    }

    package struct Tuning: Sendable, Equatable {
        /// Threads with an event loop; workers are spread over them.
        package var loops: Int
        package var variation = Variation()
        /// Warm-up before the measured time.
        package var warmUpSeconds = 0.2
        /// The longest wait for a connection.
        package var acquireTimeout = Duration.seconds(30)
        /// Lock waits of SQLite, in milliseconds.
        package var busyMilliseconds = 5000

        package init(loops: Int) { self.loops = max(1, loops) }
    }

    package var scenario: Scenario
    package var operation: String
    package var workers: Int
    /// Connections at the most. SQLite: 0 is unlimited, -1 opens one per statement.
    package var pool: Int
    /// Seconds, or rows for ``Scenario/bulk``.
    package var amount: Double

    package init(_ scenario: Scenario, _ operation: String, workers: Int, pool: Int, amount: Double) {
        self.scenario = scenario
        self.operation = operation
        self.workers = workers
        self.pool = pool
        self.amount = amount
    }

    /// Reads the five words.
    ///
    /// - Throws: ``BenchError/usage(_:)`` with what was expected.
    package init(words: [String]) throws(BenchError) {
        guard words.count == 5 else {
            throw .usage("expected SCEN OP WORKERS POOL SECS|ROWS, for example: B pk 8 8 1")
        }
        guard let scenario = Scenario(rawValue: words[0]) else {
            let known = Scenario.allCases.map(\.rawValue).joined(separator: ", ")
            throw .usage("there is no scenario \"\(words[0])\"; there are \(known)")
        }
        guard scenario.operations.contains(words[1]) else {
            throw .usage(
                "scenario \(scenario.rawValue) takes the operation \(scenario.operations.joined(separator: ", ")), "
                    + "not \"\(words[1])\"")
        }
        let fewest = scenario == .sqlite ? -1 : 0
        guard let workers = Int(words[2]), (1...1000).contains(workers) else {
            throw .usage("WORKERS is a number from 1 to 1000, not \"\(words[2])\"")
        }
        guard let pool = Int(words[3]), (fewest...1000).contains(pool) else {
            throw .usage("POOL is a number from \(fewest) to 1000, not \"\(words[3])\"")
        }
        let most = scenario == .bulk ? 1e8 : 600
        guard let amount = Double(words[4]), amount > 0, amount <= most else {
            throw .usage("\(scenario == .bulk ? "ROWS" : "SECS") is a number up to \(Int(most)), not \"\(words[4])\"")
        }
        self.init(scenario, words[1], workers: workers, pool: pool, amount: amount)
    }

    /// The five words again.
    package var words: [String] {
        let isWhole = amount == amount.rounded()
        return [scenario.rawValue, operation, "\(workers)", "\(pool)", isWhole ? "\(Int(amount))" : "\(amount)"]
    }

    package var description: String { words.joined(separator: " ") }
}

extension PeerCall.Scenario {
    package var operations: [String] {
        switch self {
        case .acquire, .acquireAndHold, .idle, .orderEntry: ["-"]
        case .query: ["select1", "pk", "upd"]
        case .pipeline: ["pk", "upd"]
        case .connect: ["pk"]
        case .bulk: ["one", "multi", "pipe", "copy", "copyrows"]
        case .sqlite: ["read", "write", "mix90"]
        }
    }
}
