/// A shipped scenario, shortened: the run in which a defect must show, and the untouched pool must stay green.
package struct Trial: Sendable, Hashable {
    /// Of the file in `faults/`, without its extension.
    package let scenario: String
    /// `path=value` as for `run --set`, after those that every trial has.
    package let changes: [String]
    /// Invariants that are judged beside those of every trial, with their parameters: `max-open-connections: {}`.
    package let invariants: [String]

    init(_ scenario: String, _ changes: [String], judging invariants: [String] = []) {
        self.scenario = scenario
        self.changes = changes
        self.invariants = invariants
    }

    /// Judged in every trial. Bounds that hold on a machine that has other work, and that the phases leave room to break.
    private static let always = [
        "zero-leaked-connections: {}", "recovery: {within: 4s, throughput: 50%}", "retry-correctness: {}",
        "timeouts: {tolerance: 1s}",
    ]

    private static let short = [
        "phases={warm-up: 1s, steady: 2s, faults: 3s, settle: 6s}", "workload.clients=16", "workload.rate=100/s",
        "pool.max-open=8", "pool.acquire-timeout=1s", "pool.close-timeout=2s",
    ]

    /// All that makes the shipped scenario this trial.
    package var overrides: [String] {
        Self.short + changes + ["invariants={\((Self.always + invariants).joined(separator: ", "))}"]
    }

    /// The same with more invariants.
    func judging(_ more: String...) -> Trial { Trial(scenario, changes, judging: invariants + more) }

    func with(_ more: String...) -> Trial { Trial(scenario, changes + more, judging: invariants) }
}

extension Trial {
    /// Every session is ended once, with statements in flight.
    static let killed = Trial(
        "kill-connections", ["pool.min-idle=8", "faults.0.at=500ms", "faults.0.times=1"])

    /// The server is away for a second.
    static let restarted = Trial(
        "db-restart", ["pool.min-idle=8", "faults.0.at=500ms", "faults.0.restart.down-for=1s"])

    /// The whole server stands still for three seconds: longer than every limit of the pool and its tolerance.
    static let frozen = Trial(
        "freeze",
        [
            "faults=[{freeze: {what: server}, at: 200ms, for: 3s}]", "pool.statement-timeout=500ms",
            "pool.acquire-timeout=500ms",
            "phases={warm-up: 1s, steady: 2s, faults: 4s, settle: 6s}",
        ])

    /// The same with connections that are checked each time they are lent, so that checks fail and not statements alone.
    static let frozenChecked = frozen.with("pool.min-idle=8", "pool.check-after-idle=1ms", "pool.check-timeout=300ms")

    /// The same as frozen, and then the server refuses statements, so that there is something to try again.
    static let frozenAndRefused = frozen.with(
        "faults=[{freeze: {what: server}, at: 200ms, for: 3s}, "
            + "{inject-error: {sqlstate: \"40001\", share: 50%}, at: 3400ms, for: 500ms}]",
        "pool.retry-budget=500ms", "pool.release-timeout=200ms")

    /// Answers to COMMIT are lost.
    static let lostCommits = Trial(
        "lost-commit", ["faults.0.at=200ms", "faults.0.for=2s", "faults.0.cut.every=3", "faults.0.cut.times=5"])

    /// The pool's own lifetime is a second, so that it closes living connections all the time.
    static let aging = Trial(
        "kill-connections",
        ["pool.min-idle=4", "pool.max-lifetime=1s", "faults.0.at=500ms", "faults.0.times=1"])

    /// Clients are cancelled at every moment of their use, while the server stands still for a part of the time.
    static let cancelled = Trial(
        "freeze",
        [
            "faults=[{freeze: {what: server}, at: 200ms, for: 1500ms}]", "pool.statement-timeout=500ms",
            "pool.acquire-timeout=500ms", "workload.statement-time=10ms", "workload.behaviour.cancel=30%",
            "workload.rate=150/s",
        ])

    /// Clients leave behind what they set, and others look.
    static let dirty = Trial(
        "kill-connections",
        [
            "pool.min-idle=4", "faults.0.at=500ms", "faults.0.times=1", "pool.reset=full",
            "workload.mix={append: 40, read: 20, transfer: 10, inspect: 30}",
            "workload.behaviour={abandon-transaction: 4%, "
                + "residue: {settings: 5%, role: 4%, temp-table: 4%, advisory-lock: 4%, listen: 4%}}",
        ], judging: ["clean-leases: {}"])

    /// Each client has a number of its own, which it writes and reads.
    static let registers = Trial(
        "kill-connections",
        [
            "pool.min-idle=4", "faults.0.at=500ms", "faults.0.times=1",
            "workload.mix={register: 80, append: 10, transfer: 10}",
        ], judging: ["read-your-writes: {}", "monotonic-reads: {}", "own-results: {}"])

    /// Always more clients than connections.
    static let contended = Trial(
        "kill-connections",
        [
            "pool.max-open=4", "pool.min-idle=4", "faults.0.at=500ms", "faults.0.times=1",
            "workload={clients: 16, statement-time: 5ms, mix: {append: 50, read: 30, transfer: 20}}",
        ])

    /// The server refuses most statements for a while (40001), without having done them.
    static let refused = Trial(
        "error-injection",
        [
            "faults=[{inject-error: {sqlstate: \"40001\", share: 80%}, at: 200ms, for: 2s}]", "pool.retry-attempts=2",
        ])

    /// The server refuses writes for a while, and its sessions live on.
    static let readOnly = Trial(
        "read-only", ["faults=[{read-only: {keep-sessions: true}, at: 200ms, for: 1500ms}]"],
        judging: ["read-only-detected: {settle: 1s}"])

    /// For many thousand operations on end the server ends whatever session is older than a second.
    static let reaped = Trial(
        "max-lifetime",
        [
            "pool.min-idle=8", "faults.0.at=100ms", "faults.0.for=14s",
            "phases={warm-up: 1s, steady: 2s, faults: 15s, settle: 6s}",
            "workload={clients: 16, statement-time: 0ms, mix: {read: 80, append: 10, transfer: 10}}",
        ])

    /// Nobody uses the pool for a while, and then one client alone does.
    static let quiet = Trial(
        "kill-connections",
        [
            "pool.min-idle=8", "faults.0.at=500ms", "faults.0.times=1",
            "workload.behaviour.quiet={every: 3s, for: 1500ms}",
        ], judging: ["fresh-acquire: {limit: 1500ms, settle: 1s}"])

    /// A file whose write lock somebody else holds for a second.
    static let locked = Trial("quickstart-sqlite", ["pool.min-idle=8"])
}

extension Trial {
    /// The two differ at most in what is judged, and no invariant is to be judged in two ways.
    func canJoin(_ other: Trial) -> Bool {
        scenario == other.scenario && changes == other.changes
            && !invariants.contains { mine in
                other.invariants.contains { $0 != mine && Self.name($0) == Self.name(mine) }
            }
    }

    /// Of an invariant with its parameters, as it stands in a scenario.
    private static func name(_ invariant: String) -> Substring { invariant.prefix { $0 != ":" } }

    /// Judges what either judges.
    func joined(with other: Trial) -> Trial {
        Trial(scenario, changes, judging: invariants + other.invariants.filter { !invariants.contains($0) })
    }
}
