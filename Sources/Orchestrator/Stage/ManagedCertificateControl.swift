import DatabaseServers
import FaultInjection
import HostSystem

/// The private server's certificate as faults see it.
struct ManagedCertificateControl: CertificateControl {
    /// Whose files they are. A standby is a copy of it, and shows the same ones.
    let server: ManagedPostgres
    let current: CurrentServer

    var port: UInt16 { current.server.port }
    func replace() async throws -> String { try await server.replaceCertificate() }
    func trust() async throws {
        try await onOwnThread(
            "trust certificate",
            throwing: { () throws(ServerError) in
                try server.trustNewCertificate()
            })
    }
}
