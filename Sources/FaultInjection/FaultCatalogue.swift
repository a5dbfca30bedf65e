package import RigModel

/// Every kind of fault. A new one is one file and one line here.
package enum FaultCatalogue {
    package static let all: [any Fault.Type] = [
        KillConnections.self, Latency.self, MaxLifetime.self, Restart.self, LockDatabase.self,
        Bandwidth.self, Blackhole.self, HalfOpen.self, RefuseConnections.self, ResetConnections.self, Cut.self,
        InjectError.self,
    ]

    package static var shapes: [Shape] { all.map { $0.shape } }

    /// The fault of this name, or `nil`.
    package static func make(_ kind: String, _ parameters: Parameters) -> (any Fault)? {
        all.first { $0.shape.name == kind }?.init(parameters)
    }
}
