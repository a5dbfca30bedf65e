import ConnectionPool
import EventLoop
import PostgresDriver
import Threading

/// A PostgreSQL server to measure on.
package struct BenchDatabase: Sendable {
    /// A libpq keyword string, as every harness takes it.
    package let dsn: String
    /// The same for JDBC.
    package let jdbc: String

    /// A server on this machine that needs no password.
    package init(port: UInt16, role: String, database: String = "postgres") {
        dsn = "host=127.0.0.1 port=\(port) user=\(role) dbname=\(database)"
        jdbc = "jdbc:postgresql://127.0.0.1:\(port)/\(database)?user=\(role)"
    }

    /// Makes the table of the benchmark anew.
    package func fill() async throws(BenchError) {
        do {
            let loop = try EventLoop(name: "fill")
            defer { loop.shutdown() }
            let driver = PostgresDriver(configuration: try PostgresConfiguration(url: dsn), loop: loop)
            try await driver.run(BenchSQL.postgresSchema, until: .now.advanced(by: .seconds(60)))
        } catch {
            throw .failed("cannot make the table of the benchmark: \(error)")
        }
    }
}
