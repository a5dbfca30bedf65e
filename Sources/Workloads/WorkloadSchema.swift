package import ConnectionPool
import Threading

/// The tables of the workload, in the SQL of one database. Their names carry the run, so that a run on a shared database
/// meets nobody else's.
package struct WorkloadSchema: Sendable, Equatable {
    package enum Dialect: Sendable {
        case postgres
        case sqlite
    }

    package static let accounts = 64
    package static let openingBalance = 1_000

    package let dialect: Dialect
    package let prefix: String
    /// How long each operation's main statement takes on the server, so that faults find statements in flight. PostgreSQL
    /// only: SQLite has no sleep.
    package let statementTime: Duration

    /// - Parameter run: letters, digits and `_`; part of the table names.
    package init(dialect: Dialect, run: String, statementTime: Duration) {
        self.dialect = dialect
        prefix = "chaosrig_\(run)"
        self.statementTime = statementTime
    }

    package var appendsTable: String { "\(prefix)_appends" }
    package var accountsTable: String { "\(prefix)_accounts" }

    /// What opens a transaction. SQLite must take the write lock first: a reader that turns writer meets
    /// SQLITE_BUSY_SNAPSHOT, which no waiting solves.
    package var begin: SQLStatement {
        SQLStatement(dialect == .sqlite ? "BEGIN IMMEDIATE" : "BEGIN", role: .begin)
    }

    /// Creates the tables and opens the accounts. The append table has no unique key: a doubled write must show.
    package var setUp: [SQLStatement] {
        var statements = [
            SQLStatement("CREATE TABLE \(appendsTable) (id BIGINT NOT NULL)", role: .write),
            SQLStatement(
                "CREATE TABLE \(accountsTable) (id BIGINT PRIMARY KEY, balance BIGINT NOT NULL)", role: .write),
        ]
        let rows = (0..<Self.accounts).map { "(\($0), \(Self.openingBalance))" }.joined(separator: ", ")
        statements.append(
            SQLStatement("INSERT INTO \(accountsTable) (id, balance) VALUES \(rows)", role: .write))
        return statements
    }

    package var tearDown: [SQLStatement] {
        [appendsTable, accountsTable].map { SQLStatement("DROP TABLE IF EXISTS \($0)", role: .write) }
    }

    // MARK: What the operations run

    package func append(_ id: Int64) -> SQLStatement {
        dialect == .sqlite
            ? SQLStatement("INSERT INTO \(appendsTable) (id) VALUES ($1)", [.int(id)], role: .write)
            : SQLStatement(
                "INSERT INTO \(appendsTable) (id) SELECT $1::bigint FROM pg_sleep($2::float8)",
                [.int(id), .double(statementTime.seconds)], role: .write)
    }

    package func balance(of account: Int) -> SQLStatement {
        dialect == .sqlite
            ? SQLStatement(
                "SELECT balance FROM \(accountsTable) WHERE id = $1", [.int(Int64(account))], role: .read)
            : SQLStatement(
                "SELECT balance FROM \(accountsTable), pg_sleep($2::float8) WHERE id = $1::bigint",
                [.int(Int64(account)), .double(statementTime.seconds)], role: .read)
    }

    /// All columns, whatever they are: its result changes with the table.
    package func row(of account: Int) -> SQLStatement {
        SQLStatement("SELECT * FROM \(accountsTable) WHERE id = $1", [.int(Int64(account))], role: .read)
    }

    /// Reads so many rows of so many letters. The same text in each: the server has little work with it.
    package func large(rows: Int, bytesPerRow: Int) -> SQLStatement {
        dialect == .sqlite
            ? SQLStatement(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) "
                    + "SELECT hex(zeroblob($2)) FROM n", [.int(Int64(rows)), .int(Int64(bytesPerRow / 2))], role: .read)
            : SQLStatement(
                "SELECT repeat('x', $2::int) FROM generate_series(1, $1::int)",
                [.int(Int64(rows)), .int(Int64(bytesPerRow))], role: .read)
    }

    /// - Parameter isLast: the main statement of its operation, which takes the statement time.
    package func deposit(_ amount: Int, to account: Int, isLast: Bool) -> SQLStatement {
        let update = "UPDATE \(accountsTable) SET balance = balance + $1"
        if dialect == .sqlite || !isLast {
            return SQLStatement(
                "\(update) WHERE id = $2", [.int(Int64(amount)), .int(Int64(account))], role: .write)
        }
        return SQLStatement(
            "\(update) FROM pg_sleep($3::float8) WHERE id = $2",
            [.int(Int64(amount)), .int(Int64(account)), .double(statementTime.seconds)], role: .write)
    }

    // MARK: What the final reads run

    /// A part of the appended ids, in order; the next part begins after the last one's number of rows.
    package func appendedIDs(limit: Int, offset: Int) -> SQLStatement {
        SQLStatement(
            "SELECT id FROM \(appendsTable) ORDER BY id LIMIT \(limit) OFFSET \(offset)", role: .read)
    }

    package var balances: SQLStatement {
        SQLStatement("SELECT balance FROM \(accountsTable)", role: .read)
    }
}
