/// Something that a machine can do for a fault, or cannot. `chaosrig doctor` tries each in a throw-away place.
package enum Capability: String, Sendable, CaseIterable {
    /// A network namespace and a mount namespace of the run's own.
    case privateStage = "private-stage"
    /// `iptables` in such a namespace.
    case packetRules = "packet-rules"
    /// `iptables -j NFQUEUE`, and the library that reads it.
    case packetQueue = "packet-queue"
    /// `tc netem`.
    case netem
    /// `tc tbf`.
    case rateLimit = "rate-limit"
    /// `ss -K`.
    case socketKill = "socket-kill"
    /// A file system in memory of a given size.
    case tmpfs
    /// A control group that limits the processor, and one that limits memory.
    case cpuLimit = "cpu-limit"
    case memoryLimit = "memory-limit"
    /// `libfaketime`.
    case fakeTime = "fake-time"
    /// The programs of the server beside `initdb` and `postgres`.
    case baseBackup = "base-backup"
    case openssl
    /// The programs of a PostgreSQL server, version 14 or later.
    case postgres14 = "postgresql-14"
    case pgBouncer = "pgbouncer"
    /// A container engine that answers.
    case containers
}

extension Capability {
    /// Belongs on a stage of the run's own: it touches packets or mounts.
    package var wantsPrivateStage: Bool {
        switch self {
        case .privateStage, .packetRules, .packetQueue, .netem, .rateLimit, .socketKill, .tmpfs: true
        case .cpuLimit, .memoryLimit, .fakeTime, .baseBackup, .openssl, .postgres14, .pgBouncer, .containers:
            false
        }
    }
}

/// What a machine said to one ``Capability``.
package enum Availability: Sendable, Equatable {
    /// What was tried, in words.
    case available(String)
    /// Why not, and what a person can do about it.
    case missing(reason: String, remedy: String)

    package var isAvailable: Bool { if case .available = self { true } else { false } }
}
