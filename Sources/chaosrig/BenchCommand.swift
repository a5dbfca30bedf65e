import Benchmarks
import HostSystem
import RigModel

enum BenchCommand: Command {
    static let name = "bench"
    static let summary = "measure the pool and its drivers"
    static let synopsis = [
        "table [--rounds N] [--seconds S] [--rows N] [--peers DIR] [--json]",
        "pool-vs-none [--rounds N] [--seconds S] [--workers N] [--svg FILE] [--json]",
        "peer SCEN OP WORKERS POOL SECS|ROWS [--loops N] [--depth N] [--no-instrumentation] [--overtaking US]",
        "limit SCEN OP WORKERS POOL SECS|ROWS [--depth N]",
        "judge [--events N] [--json]",
        "overhead [--rounds N] [--seconds S] [--workers N] [--json]",
    ]
    static let details = [
        "SCEN and OP: A - (acquire, release), Ahold - (held for 100 µs), B select1|pk|upd (through the pool), Bpipe pk|upd "
            + "(batches), C pk (connect per query), D one|multi|pipe|copy|copyrows (rows; the last argument is their number), "
            + "F - (idle connections), S read|write|mix90 (SQLite; POOL 0 unlimited, -1 one per query)."
    ]
    static let operands = ValueKind.words([
        Word(
            "table",
            "every target of the pool and its drivers, each beside what it is compared with in the same round, as medians; "
                + "starts a PostgreSQL server of its own, and removes it"),
        Word(
            "pool-vs-none",
            "a connection per query, one shared connection, pools of 5 and 25, unlimited; PostgreSQL and SQLite"),
        Word(
            "peer",
            "one measurement, as a JSON line of the peers' harness, on the server that DSN names (a libpq connection "
                + "string): OWN=\"chaosrig bench peer\" makes it one of the programs of run.py"),
        Word(
            "limit", "the same work with blocking calls of libpq or SQLite on a thread per connection, without a pool"),
        Word(
            "judge",
            "a made-up history, written to a temporary folder (some 250 bytes an event), judged by every invariant"),
        Word(
            "overhead",
            "what it costs a run to serve metrics (scraped every second) and to show live progress, each as ratios to the "
                + "plain run of the same round; and the plain run to itself, which shows the machine's noise"),
    ])
    static let options: [OptionSpec] = [
        .value(
            "--rounds", "N", "how often everything is measured", default: "5 (table), 3 (pool-vs-none), 20 (overhead)"),
        .value(
            "--seconds", "S", "how long each measurement takes", default: "1 (table), 2 (pool-vs-none), 3 (overhead)"),
        .value("--rows", "N", "rows of the COPY in the table", default: "1000000"),
        .value(
            "--peers", "DIR", "measure other pools too: DIR holds pqbench, poolbench and HikariBench.class", .folder),
        .value("--events", "N", "how long the history is", default: "10000000"),
        .value("--workers", "N", "tasks that ask for look-ups in pool-vs-none, clients in overhead", default: "64"),
        .value("--svg", "FILE", "write pool-vs-none as a bar chart", .file),
        .flag("--json", "print every measurement as a JSON line instead of the table"),
        .value("--loops", "N", "threads with an event loop", default: "as many as cores, at most 4"),
        .value("--depth", "N", "statements per batch", default: "100"),
        .flag("--no-instrumentation", "without the pool's books"),
        .value("--overtaking", "US", "by how many microseconds a waiter may overtake those on other event loops"),
    ]
    static let examples = [
        "chaosrig bench table --rounds 5 --peers /tmp/peers",
        "chaosrig bench pool-vs-none --svg docs/pool-vs-none.svg",
        "DSN=\"host=127.0.0.1 port=5432 user=me dbname=test\" chaosrig bench peer B pk 64 16 1",
    ]

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        do throws(BenchError) {
            guard let word = arguments.positional.first else { throw .usage("name one of: \(BenchSubject.names)") }
            guard let subject = BenchSubject(rawValue: word) else {
                throw .usage("\"\(word)\" is none of \(BenchSubject.names)")
            }
            let words = Array(arguments.positional.dropFirst())
            let options = try BenchOptions(arguments, for: subject)
            switch subject {
            case .table: try await table(options, words)
            case .poolVersusNone: try await poolVersusNone(options, words)
            case .judge:
                guard words.isEmpty else { throw .usage("judge takes no arguments") }
                try await judge(options)
            case .overhead:
                guard words.isEmpty else { throw .usage("overhead takes no arguments") }
                try await overhead(options)
            case .peer, .limit: try await one(subject, options, PeerCall(words: words))
            }
            return 0
        } catch {
            if case .usage(let words) = error { throw UsageError(words) }
            Output.error("chaosrig bench: \(error)")
            return error.exitCode
        }
    }

    private static func one(
        _ subject: BenchSubject, _ options: BenchOptions, _ call: PeerCall
    ) async throws(BenchError) {
        let dsn = currentEnvironment()["DSN"] ?? "host=127.0.0.1 port=55432 user=postgres dbname=postgres"
        let row =
            subject == .peer
            ? try await BenchPeer(call, tuning: options.tuning, dsn: dsn).run()
            : try await BenchLimit(call, tuning: options.tuning, dsn: dsn).run()
        Output.line(row.json.compactText)
    }

    private static func table(_ options: BenchOptions, _ words: [String]) async throws(BenchError) {
        guard words.isEmpty else { throw .usage("table takes no arguments") }
        let table = TargetTable(
            hasPeers: options.peers != nil, seconds: options.seconds ?? 1, rows: options.rows ?? 1_000_000)
        let rounds = try await measure(table.jobs, count: options.rounds ?? 5, options)
        for failure in table.failures(rounds) { Output.error(failure) }
        if !options.isJSON { Output.line(table.text(rounds)) }
    }

    private static func poolVersusNone(_ options: BenchOptions, _ words: [String]) async throws(BenchError) {
        guard words.isEmpty else { throw .usage("pool-vs-none takes no arguments") }
        let comparison = PoolVersusNone(workers: options.workers ?? 64, seconds: options.seconds ?? 2)
        let rounds = try await measure(comparison.jobs, count: options.rounds ?? 3, options)
        if !options.isJSON { Output.line(comparison.text(rounds)) }
        guard let file = options.svg else { return }
        do {
            try SmallFile.write(Array(comparison.svg(rounds, footnote: MachineFacts.line).utf8), to: file)
        } catch {
            throw .failed("cannot write the chart: \(error)")
        }
        Output.error("wrote \(file)")
    }

    private static func measure(
        _ jobs: [BenchJob], count: Int, _ options: BenchOptions
    ) async throws(BenchError) -> Rounds {
        let peers: PeerPrograms?
        if let folder = options.peers { peers = try PeerPrograms(folder: folder) } else { peers = nil }
        Output.error("starting a PostgreSQL server of its own")
        return try await BenchServer.with { database throws(BenchError) in
            try await Rounds.run(
                jobs, count: count, on: ChildRunner(database: database, peers: peers), say: Output.error,
                show: { if options.isJSON { Output.line($0.compactText) } })
        }
    }
}
