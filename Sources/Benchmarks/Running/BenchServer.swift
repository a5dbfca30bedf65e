import DatabaseServers
import HostSystem

/// The private server of a measurement, with the settings under which the peers were measured.
package enum BenchServer {
    /// Durable writes are off: the disk would be all that is measured.
    private static let settings = [
        ("synchronous_commit", "off"), ("full_page_writes", "off"), ("shared_buffers", "256MB"),
        ("max_wal_size", "4GB"), ("jit", "off"),
    ]

    /// Starts a server with the benchmark's table, and removes it on every way out. If this process is killed, its watchdog
    /// removes it.
    ///
    /// - Throws: ``BenchError/missing(_:)`` when this machine has no PostgreSQL server; what `body` throws.
    package static func with<R: Sendable>(
        _ body: (BenchDatabase) async throws(BenchError) -> R
    ) async throws(BenchError) -> R {
        let folder = try BenchFolder(journal: "journal.jsonl")
        let result: Result<R, BenchError>
        do throws(BenchError) {
            result = .success(try await with(journal: folder.file("journal.jsonl"), body))
        } catch {
            result = .failure(error)
        }
        try folder.remove()
        return try result.get()
    }

    private static func with<R: Sendable>(
        journal path: String, _ body: (BenchDatabase) async throws(BenchError) -> R
    ) async throws(BenchError) -> R {
        let journal: Journal
        let watchdog: Watchdog
        let scratch: RunScratch
        do {
            journal = try Journal.create(at: path)
            watchdog = try Watchdog.start(journal: journal)
            scratch = try RunScratch(runID: "bench-\(RunScratch.newRunID())", journal: journal)
        } catch {
            throw .missing("cannot prepare the measurement: \(error)")
        }
        var result: Result<R, BenchError>
        do throws(BenchError) {
            result = .success(try await with(scratch: scratch, journal: journal, body))
        } catch {
            result = .failure(error)
        }
        let left = await journal.undoAll()
        journal.close()
        _ = await watchdog.finish()
        if case .success = result, let first = left.first { result = .failure(.failed("\(first)")) }
        return try result.get()
    }

    private static func with<R: Sendable>(
        scratch: RunScratch, journal: Journal, _ body: (BenchDatabase) async throws(BenchError) -> R
    ) async throws(BenchError) -> R {
        var options = ManagedPostgres.Options()
        options.maxConnections = 300
        options.settings = settings.map { (name: $0.0, value: $0.1) }
        let server: ManagedPostgres
        do throws(ServerError) {
            server = try await ManagedPostgres.create(in: scratch, journal: journal, options: options)
        } catch {
            throw .missing(error.description)
        }
        let database = BenchDatabase(port: server.port, role: server.role)
        let result: Result<R, BenchError>
        do throws(BenchError) {
            try await database.fill()
            result = .success(try await body(database))
        } catch {
            result = .failure(error)
        }
        // What cannot be removed here is still in the journal.
        try? await server.destroy()
        return try result.get()
    }
}
