import CSQLite
package import ConnectionPool
import RigModel
package import Threading

/// Opens connections to one database file with the system's SQLite.
///
/// ```swift
/// let driver = SQLiteDriver(SQLiteConfiguration(path: "/tmp/x/rig.db"))
/// let connection = try await driver.connect(deadline: .now.advanced(by: .seconds(2)))
/// ```
package struct SQLiteDriver: Driver {
    package let configuration: SQLiteConfiguration
    /// Where its connections run. A task that prefers this executor calls them without a change of thread.
    package let threads: SQLiteThreads
    private let books = DriverBooks()

    /// - Parameter threads: a group of its own where none is given. Its threads end after the last connection.
    package init(_ configuration: SQLiteConfiguration, threads: SQLiteThreads = SQLiteThreads()) {
        self.configuration = configuration
        self.threads = threads
    }

    /// The SQL of every statement that was still open when its connection was closed. Must stay empty: this driver
    /// finalizes its own before. See ``SQLiteHandle/close()``.
    package var leakedStatements: [String] { books.leakedStatements }

    package var statementCacheCounts: StatementCacheCounts { books.cacheCounts }

    /// - Throws: see ``SQLiteHandle/open(_:)``. The file is closed before it throws.
    package func connect(deadline: MonotonicInstant) async throws(DriverError) -> SQLiteConnection {
        let session = SQLiteSession(threads: threads, configuration: configuration, books: books)
        do throws(DriverError) {
            try await session.open(configuration, deadline: deadline)
        } catch {
            session.beginStop()
            await session.waitUntilStopped(deadline: max(deadline, .now.advanced(by: .seconds(1))))
            throw error
        }
        return SQLiteConnection(session: session)
    }
}

extension SQLiteDriver {
    /// The version of the system's SQLite library, for reports.
    package static var libraryVersion: String { String(cString: sqlite3_libversion()) }
}
