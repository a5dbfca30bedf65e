import CSQLite
package import ConnectionPool
import RigModel
package import Threading

extension SQLiteConnection {
    /// Copies the database, as it is at one moment, into a new file, while others go on reading and writing.
    ///
    /// In WAL mode the copy is of the moment of the call: a read transaction holds it, which blocks nobody, but keeps the log
    /// from being reused until the end. Outside WAL, writers go on between the steps and make the copy begin anew; the
    /// steps then grow until they overtake them.
    ///
    /// A backup that fails, is cancelled, or whose connection is closed leaves no file at `path`, and the source untouched.
    ///
    /// - Parameters:
    ///   - path: must not exist. A complete copy appears there at once; before, the pages are in `<path>-partial`.
    ///   - pagesPerStep: how many pages are copied without a look at deadline and cancellation.
    /// - Returns: the number of pages.
    /// - Throws: `.embedded`, for example `SQLITE_CANTOPEN` when `path` exists, `SQLITE_MISUSE` inside a transaction, or
    ///   `SQLITE_FULL`; `.busy`, `.timedOut`, `.cancelled`.
    @discardableResult
    package func backup(
        to path: String, pagesPerStep: Int = 256, deadline: MonotonicInstant
    ) async throws(DriverError) -> Int {
        let session = session
        return try await session.threads.run { () async throws(DriverError) in
            try await session.backup(to: path, pagesPerStep: pagesPerStep, deadline: deadline)
        }
    }
}

extension SQLiteSession {
    fileprivate func backup(
        to path: String, pagesPerStep: Int, deadline: MonotonicInstant
    ) async throws(DriverError) -> Int {
        try await call(deadline: deadline) { handle throws(DriverError) in
            try handle.beginBackup(to: path, pagesPerStep: pagesPerStep)
        }
        do throws(DriverError) {
            while true {
                // A busy step is made again, in the way of any call that waits for a lock.
                let progress = try await call(deadline: deadline, waitsWhenever: true) { handle throws(DriverError) in
                    let progress = try handle.stepBackup()
                    if case .busy(let error) = progress { throw error }
                    return progress
                }
                if case .done(let pages) = progress {
                    await cleanUp { $0.endBackup() }
                    return pages
                }
                await Task.yield()
            }
        } catch {
            await cleanUp { $0.endBackup() }
            throw error
        }
    }
}

extension SQLiteHandle {
    /// Takes the snapshot and makes the file.
    func beginBackup(to path: String, pagesPerStep: Int) throws(DriverError) {
        guard transactionStatus == .idle, backup == nil else {
            throw DriverError(
                .embedded(code: "SQLITE_MISUSE"),
                "a backup needs a connection outside a transaction and without another backup",
                requestSent: false)
        }
        let mode = try run(SQLStatement("PRAGMA journal_mode", role: .read)).rows.first?.first?.textValue
        if mode == "wal" {
            _ = try run(SQLStatement("BEGIN", role: .begin))
            // The snapshot is taken by the first look, not by BEGIN.
            _ = try run(SQLStatement("SELECT count(*) FROM sqlite_master", role: .read))
        }
        do throws(DriverError) {
            backup = try SQLiteBackup(of: self, to: path, pagesPerStep: pagesPerStep)
        } catch {
            endBackup()
            throw error
        }
    }

    /// Copies some pages. After `.done` and after an error call ``endBackup()``.
    func stepBackup() throws(DriverError) -> SQLiteBackup.Progress {
        guard let backup else {
            throw DriverError(.embedded(code: "SQLITE_MISUSE"), "the backup was ended by somebody else")
        }
        return try backup.step()
    }

    /// Gives up a copy that is not complete, and the snapshot.
    func endBackup() {
        backup?.abandon()
        backup = nil
        _ = try? run(.rollback)
    }
}
