import Glibc
package import HostSystem
import Threading

/// What faults look at and change on a private server's host.
extension ManagedPostgres {
    /// Every process of the server, the postmaster first, also those that outlived it. About 5 ms.
    package func processes() -> [ProcessIdentity] {
        let postmaster = postmasterPID()
        let all = PostgresProcesses.running(on: dataDirectory)
        return all.filter { $0.pid == postmaster } + all.filter { $0.pid != postmaster }
    }

    /// The folder that everything of it lies in.
    package var folder: String { program.folders.root }

    /// Whom its files belong to.
    package func owner() throws(ServerError) -> (user: UInt32, group: UInt32) {
        var info = stat()
        guard stat(dataDirectory, &info) == 0 else { throw .folder(SystemError("look at \(dataDirectory)")) }
        return (info.st_uid, info.st_gid)
    }

    /// It takes connections by TLS.
    package var hasCertificate: Bool { certificates != nil }

    /// Replaces its certificate and the authority that has signed it; counts from the server's next reload on.
    ///
    /// - Returns: the common name of the new certificate.
    /// - Throws: ``ServerError/noCertificate(reason:)`` where it has none, and others.
    package func replaceCertificate() async throws(ServerError) -> String {
        guard let certificates else { throw .noCertificate(reason: "this server has no TLS") }
        let number = certificateCount.withLock { count in
            count += 1
            return count
        }
        try await onOwnThread(
            "make certificate",
            throwing: { () throws(ServerError) in
                try certificates.replace(number: number)
            })
        return ServerCertificates.name(number)
    }

    /// Lets clients trust the authority that has signed the newest certificate.
    package func trustNewCertificate() throws(ServerError) { try certificates?.trust() }

    /// The bytes of `pg_hba.conf`.
    package func accessRules() throws(ServerError) -> [UInt8] {
        guard let bytes = SmallFile.bytes(program.folders.accessRules) else {
            throw .folder(SystemError("read \(program.folders.accessRules)"))
        }
        return bytes
    }

    /// Replaces `pg_hba.conf`; its owner and mode stay. Counts from the server's next reload on.
    package func setAccessRules(_ rules: [UInt8]) throws(ServerError) {
        do { try SmallFile.write(rules, to: program.folders.accessRules) } catch { throw .folder(error) }
    }
}
