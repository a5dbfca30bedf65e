import DatabaseServers
import FaultInjection

/// The private server's certificate as faults see it.
struct ManagedCertificateControl: CertificateControl {
    let server: ManagedPostgres

    var port: UInt16 { server.port }
    func replace() async throws -> String { try await server.replaceCertificate() }
    func trust() async throws { try server.trustNewCertificate() }
}
