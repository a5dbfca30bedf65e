package import RigModel

/// Every kind of fault. A new one is one file, and one line in the family's list below.
package enum FaultCatalogue {
    package static let all: [any Fault.Type] = families.flatMap(\.kinds)

    /// The same, by what they hit.
    package static let families: [(title: String, kinds: [any Fault.Type])] = [
        ("Connections", connections), ("Limits that servers enforce on sessions", serverLife), ("Server", server),
        ("Statements", statements), ("Network", network), ("Client process", client), ("SQLite", sqlite),
        ("PgBouncer", pooler), ("Containers", containers),
    ]

    /// Connections are ended, or never come about.
    static let connections: [any Fault.Type] = [
        KillConnections.self, CancelStatements.self, ResetConnections.self, RefuseConnections.self,
        InterruptConnect.self, Cut.self, InjectError.self,
    ]

    /// What servers enforce on sessions.
    static let serverLife: [any Fault.Type] = [
        MaxLifetime.self, IdleSessionTimeout.self, IdleInTransactionTimeout.self, StatementTimeout.self,
        LockTimeout.self,
    ]

    /// The server stops, stalls, refuses.
    static let server: [any Fault.Type] = [
        Restart.self, Crash.self, Freeze.self, StartingUp.self, SlotsExhausted.self, ConnectionsDisallowed.self,
        ReadOnly.self, Reload.self, RefuseAuthentication.self, RotatePassword.self, RotateCertificate.self,
        Failover.self, DiskFull.self,
    ]

    /// Statements fail, or wait for others.
    static let statements: [any Fault.Type] = [
        LockContention.self, Deadlock.self, SerializationFailure.self, CachedPlan.self, SlowStatements.self,
    ]

    /// Packets are late, lost, or go elsewhere.
    static let network: [any Fault.Type] = [
        Latency.self, PacketLoss.self, PacketReorder.self, Bandwidth.self, Blackhole.self, HalfOpen.self, LinkDown.self,
        NameResolution.self,
    ]

    /// The process that holds the pool is short of something.
    static let client: [any Fault.Type] = [
        ClientPause.self, ClientKill.self, ClientDescriptors.self, ClientCPU.self, ClientMemory.self, ClientClock.self,
        ClientSlowReader.self,
    ]

    /// An embedded database.
    static let sqlite: [any Fault.Type] = [
        LockDatabase.self, BusyStorm.self, CheckpointStarvation.self, IOError.self, SlowIO.self, SQLiteDiskFull.self,
        SQLiteReadOnly.self, CorruptDatabase.self, ReplaceDatabaseFile.self,
    ]

    /// A PgBouncer between pool and server.
    static let pooler: [any Fault.Type] = [
        PoolerRestart.self, PoolerKill.self, PoolerPause.self, PoolerReconnect.self, PoolerLifetime.self,
    ]

    /// Services of a compose file.
    static let containers: [any Fault.Type] = [
        ContainerRestart.self, ContainerKill.self, ContainerPause.self, ContainerDisconnect.self,
    ]

    package static var shapes: [Shape] { all.map { $0.shape } }

    /// Why a fault of this name could never land so; see ``Fault/problems(with:on:)``.
    package static func problems(
        of kind: String, with parameters: Parameters, on target: TargetTraits
    ) -> [ParameterProblem] {
        all.first { $0.shape.name == kind }?.problems(with: parameters, on: target) ?? []
    }

    /// The fault of this name, or `nil`.
    package static func make(_ kind: String, _ parameters: Parameters) -> (any Fault)? {
        all.first { $0.shape.name == kind }?.init(parameters)
    }
}
