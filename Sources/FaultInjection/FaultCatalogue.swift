package import RigModel

/// Every kind of fault. A new one is one file, and one line in the family's list below.
package enum FaultCatalogue {
    package static let all: [any Fault.Type] =
        connections + serverLife + server + statements + network + client + sqlite + pooler + containers

    /// Connections are ended, or never come about.
    static let connections: [any Fault.Type] = [
        KillConnections.self, CancelStatements.self, ResetConnections.self, RefuseConnections.self,
        InterruptConnect.self, Cut.self, InjectError.self,
    ]

    /// What servers enforce on sessions.
    static let serverLife: [any Fault.Type] = [
        MaxLifetime.self
    ]

    /// The server stops, stalls, refuses.
    static let server: [any Fault.Type] = [
        Restart.self, Crash.self, Freeze.self, StartingUp.self, SlotsExhausted.self, ConnectionsDisallowed.self,
        ReadOnly.self, Reload.self, RefuseAuthentication.self, RotatePassword.self,
    ]

    /// Statements fail, or wait for others.
    static let statements: [any Fault.Type] = []

    /// Packets are late, lost, or go elsewhere.
    static let network: [any Fault.Type] = [
        Latency.self, Bandwidth.self, Blackhole.self, HalfOpen.self,
    ]

    /// The process that holds the pool is short of something.
    static let client: [any Fault.Type] = []

    /// An embedded database.
    static let sqlite: [any Fault.Type] = [
        LockDatabase.self
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

    /// The fault of this name, or `nil`.
    package static func make(_ kind: String, _ parameters: Parameters) -> (any Fault)? {
        all.first { $0.shape.name == kind }?.init(parameters)
    }
}
