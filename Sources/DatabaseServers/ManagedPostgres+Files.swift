package import HostSystem

/// What faults look at and change on a private server's host.
extension ManagedPostgres {
    /// Every process of the server, the postmaster first, also those that outlived it. About 5 ms.
    package func processes() -> [ProcessIdentity] {
        let postmaster = postmasterPID()
        let all = PostgresProcesses.running(on: dataDirectory)
        return all.filter { $0.pid == postmaster } + all.filter { $0.pid != postmaster }
    }

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
