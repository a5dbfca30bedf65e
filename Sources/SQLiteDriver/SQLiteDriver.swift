import CSQLite
package import ConnectionPool
import RigModel
package import Threading

/// Opens connections to one database file with the system's SQLite, one thread per connection.
///
/// ```swift
/// let driver = SQLiteDriver(SQLiteConfiguration(path: "/tmp/x/rig.db"))
/// let connection = try await driver.connect(deadline: .now.advanced(by: .seconds(2)))
/// ```
package struct SQLiteDriver: Driver {
    package let configuration: SQLiteConfiguration
    private let leaks = LeakedStatements()

    package init(_ configuration: SQLiteConfiguration) { self.configuration = configuration }

    /// The SQL of every statement that was still open when its connection was closed. Must stay empty: this driver
    /// finalizes each statement before a call returns.
    package var leakedStatements: [String] { leaks.all }

    /// - Throws: see ``SQLiteHandle/open(_:)``. The file is closed and the thread gone before it throws.
    package func connect(deadline: MonotonicInstant) async throws(DriverError) -> SQLiteConnection {
        let thread = SQLiteThread(busyTimeout: configuration.busyTimeout, onLeak: leaks.add)
        do throws(DriverError) {
            try await thread.call(deadline: deadline) { [configuration] handle throws(DriverError) in
                try handle.open(configuration)
            }
        } catch {
            thread.beginStop()
            await thread.waitUntilStopped(deadline: max(deadline, .now.advanced(by: .seconds(1))))
            throw error
        }
        return SQLiteConnection(thread: thread)
    }
}

/// Thread-safe.
private final class LeakedStatements: Sendable {
    private let statements = Lock<[String]>([])

    var all: [String] { statements.withLock { $0 } }

    @Sendable func add(_ leaked: [String]) { statements.withLock { $0 += leaked } }
}

extension SQLiteDriver {
    /// The version of the system's SQLite library, for reports.
    package static var libraryVersion: String { String(cString: sqlite3_libversion()) }
}
