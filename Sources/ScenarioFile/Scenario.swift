package import RigModel

/// One run, described. Everything is resolved: defaults are filled in, units are read, names are known.
package struct Scenario: Sendable, Equatable {
    package enum Target: Sendable, Equatable {
        /// A private server that the rig starts and removes.
        case managedPostgres(ManagedOptions)
        /// A server that exists; a libpq URL. May hold a password: mask it before it is shown.
        case postgres(url: String)
        /// A PostgreSQL in a running service of a compose file.
        case compose(service: String, file: String)
        /// A new database file, removed afterwards.
        case temporarySQLite
        case sqlite(path: String)
    }

    /// What a private server has beside itself.
    package struct ManagedOptions: Sendable, Equatable {
        /// A second server that follows it, synchronously.
        package var standby = false
        /// The pool reaches it by TLS, and checks its certificate.
        package var tls = false
        /// The pool looks it up by a name, and not by its address.
        package var name = false
        /// A PgBouncer in front of it, and how that lends its server connections.
        package var pgBouncer: Pooling?

        package init() {}
    }

    /// For how long a pooler lends a server connection to a client.
    package enum Pooling: String, Sendable, CaseIterable {
        /// As long as the client is connected.
        case session
        case transaction
    }

    package enum Retry: String, Sendable, CaseIterable {
        /// Retries what certainly was not applied, and idempotent operations of unknown outcome.
        case safe
        case none
        /// Retries whatever failed. Wrong on purpose: some real pools do this.
        case blind
    }

    /// When the answer to a COMMIT is lost.
    package enum CommitDoubt: String, Sendable, CaseIterable {
        /// The operation ends in `info`.
        case report
        /// The server is asked what became of the transaction, where it can say.
        case ask
    }

    package enum IdleOrder: String, Sendable, CaseIterable {
        case lastUsedFirst = "last-used-first"
        case roundRobin = "round-robin"
    }

    package enum Reset: String, Sendable, CaseIterable {
        /// A connection that comes back in a transaction is closed.
        case none
        case rollback
        /// Settings, temporary tables and prepared statements, too.
        case full
    }

    /// Where the pool lives.
    package enum PoolProcess: String, Sendable, CaseIterable {
        case rig
        /// In a process of its own, which faults can stop, starve and kill.
        case child
    }

    package struct Pool: Sendable, Equatable {
        package var process = PoolProcess.rig
        /// The command of somebody else's pool, as an adapter by protocol 1; `nil`: our own pool.
        package var adapter: [String]?
        /// So many pools side by side, each with all that follows.
        package var instances = 1
        package var maxOpen = 10
        package var minIdle = 0
        /// `nil`: as many as `maxOpen`.
        package var maxIdle: Int?
        package var maxWaiters: Int?
        package var maxLifetime: Duration?
        /// Share of `maxLifetime` by which it is shortened at random.
        package var maxLifetimeJitter = 0.1
        package var maxIdleTime: Duration?
        package var acquireTimeout = Duration.seconds(2)
        package var connectTimeout = Duration.seconds(2)
        package var statementTimeout = Duration.seconds(5)
        /// The server is told `statementTimeout` too (its own `statement_timeout`, which then is no longer the server's to
        /// choose).
        package var tellsServerStatementTimeout = true
        package var checkTimeout = Duration.seconds(2)
        /// Bounds reset and close of one connection.
        package var releaseTimeout = Duration.seconds(2)
        package var closeTimeout = Duration.seconds(5)
        package var checkAfterIdle = Duration.milliseconds(500)
        package var healthCheckInterval = Duration.seconds(1)
        package var leakThreshold: Duration?
        /// Which idle connection is lent first.
        package var idleOrder = IdleOrder.lastUsedFirst
        /// What a connection that comes back is cleaned of.
        package var reset = Reset.rollback
        package var maxConnecting = 4
        /// When connects have failed for this long and none is open, acquires fail at once.
        package var breakerAfter = Duration.seconds(30)
        package var backoffFirst = Duration.milliseconds(20)
        package var backoffCap = Duration.seconds(1)
        package var commitDoubt = CommitDoubt.report
        package var retry = Retry.safe
        package var retryAttempts = 4
        package var retryBudget = Duration.seconds(5)

        /// Connections of all instances at the most.
        package var totalOpen: Int { maxOpen * instances }

        package init() {}
    }

    package struct Workload: Sendable, Equatable {
        package var clients = 32
        /// Operations a second in all: open model. `nil`: closed model, each client as fast as it can.
        package var rate: Double?
        /// Open model: a scheduled operation that could not start for this long is dropped and counted.
        package var maxLag = Duration.seconds(5)
        /// How long each operation's main statement takes on the server (PostgreSQL only), so that faults find statements
        /// in flight and not an idle pool.
        package var statementTime = Duration.milliseconds(10)
        /// Rows that `read`, `transfer` and the like choose from.
        package var accounts = 64
        /// `nil`: the database's default.
        package var isolation: Isolation?
        /// So many different texts of the same read.
        package var distinctStatements = 1
        /// Statements that come again are prepared.
        package var prepared = true
        /// Operation kinds and their weights, in the order of the file.
        package var mix: [Share] = []
        /// What clients do beside.
        package var behaviour = ClientBehaviour()

        package init() {}
    }

    /// What a transaction sees of others.
    package enum Isolation: String, Sendable, CaseIterable {
        case readCommitted = "read-committed"
        case repeatableRead = "repeatable-read"
        case serializable
    }

    package struct Share: Sendable, Equatable {
        package var kind: String
        package var weight: Double
        package init(kind: String, weight: Double) {
            self.kind = kind
            self.weight = weight
        }
    }

    package struct Phases: Sendable, Equatable {
        package var warmUp = Duration.seconds(2)
        package var steady = Duration.seconds(5)
        package var faults = Duration.seconds(15)
        package var settle = Duration.seconds(10)
        package init() {}
    }

    package struct FaultEntry: Sendable, Equatable {
        package var kind: String
        package var parameters: Parameters
        package var schedule: Schedule
        /// `nil`: it stands for itself.
        package var group: FaultGroup?
        package init(kind: String, parameters: Parameters, schedule: Schedule, group: FaultGroup? = nil) {
            self.kind = kind
            self.parameters = parameters
            self.schedule = schedule
            self.group = group
        }
    }

    /// When a fault is injected, counted from the beginning of the faults phase.
    package struct Schedule: Sendable, Equatable {
        /// The first injection. Default: 0 for `at`, one period for `every`.
        package var at: Duration
        package var every: Duration?
        /// Each injection is moved by up to ± this, drawn from the seed.
        package var jitter: Duration
        /// How many injections. `nil`: as many as fit into the phase.
        package var times: Int?
        /// How long a lasting fault lasts. `nil`: by its own parameters, else to the end of the faults phase.
        package var duration: Duration?

        package init(at: Duration, every: Duration?, jitter: Duration, times: Int?, duration: Duration?) {
            self.at = at
            self.every = every
            self.jitter = jitter
            self.times = times
            self.duration = duration
        }
    }

    package struct InvariantEntry: Sendable, Equatable {
        package var name: String
        package var parameters: Parameters
        package init(name: String, parameters: Parameters) {
            self.name = name
            self.parameters = parameters
        }
    }

    /// The database lives in the pool's process.
    package var isEmbedded: Bool {
        switch target {
        case .temporarySQLite, .sqlite: true
        case .managedPostgres, .postgres, .compose: false
        }
    }

    /// What has to be given again, as `--set` takes it, where the file was read from a run folder: passwords are masked there.
    package var maskedSettings: [String] {
        func isMasked(_ text: String) -> Bool { text.contains("***") && SecretMask.inURL(text) == text }
        var settings: [String] = []
        if case .postgres(let url) = target, isMasked(url) { settings.append("target.postgres.url=postgres://…") }
        if pool.adapter?.contains(where: isMasked) == true { settings.append("pool.adapter=[…]") }
        return settings
    }

    package var name: String
    /// The comment at the head of the file, without its `#`, as one text.
    package var summary: String
    package var target: Target
    package var pool: Pool
    package var workload: Workload
    package var phases: Phases
    package var faults: [FaultEntry]
    package var invariants: [InvariantEntry]

    package init(
        name: String, summary: String, target: Target, pool: Pool, workload: Workload, phases: Phases,
        faults: [FaultEntry], invariants: [InvariantEntry]
    ) {
        self.name = name
        self.summary = summary
        self.target = target
        self.pool = pool
        self.workload = workload
        self.phases = phases
        self.faults = faults
        self.invariants = invariants
    }
}
