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
    /// How many accounts there are, from number 0. Fewer make for more conflicts.
    package let accountCount: Int
    /// What transactions see of each other; `nil`: the database's default. PostgreSQL only.
    package let isolation: IsolationLevel?
    /// So many different texts of the same read: caches of prepared statements then have to choose.
    package let distinctStatements: Int

    /// - Parameter run: letters, digits and `_`; part of the table names.
    package init(
        dialect: Dialect, run: String, statementTime: Duration, accounts: Int = Self.accounts,
        isolation: IsolationLevel? = nil, distinctStatements: Int = 1
    ) {
        self.dialect = dialect
        prefix = "chaosrig_\(run)"
        self.statementTime = statementTime
        accountCount = accounts
        self.isolation = isolation
        self.distinctStatements = distinctStatements
    }

    package var appendsTable: String { "\(prefix)_appends" }
    package var accountsTable: String { "\(prefix)_accounts" }
    package var registersTable: String { "\(prefix)_registers" }

    /// What opens a transaction. SQLite must take the write lock first: a reader that turns writer meets
    /// SQLITE_BUSY_SNAPSHOT, which no waiting solves.
    package var begin: SQLStatement {
        if dialect == .sqlite { return SQLStatement("BEGIN IMMEDIATE", role: .begin) }
        return StandardDialect.begin(TransactionOptions(isolation: isolation))
    }

    /// Creates the tables and opens the accounts. The append table has no unique key: a doubled write must show.
    package var setUp: [SQLStatement] {
        var statements = [
            SQLStatement("CREATE TABLE \(appendsTable) (id BIGINT NOT NULL)", role: .write),
            SQLStatement(
                "CREATE TABLE \(accountsTable) (id BIGINT PRIMARY KEY, balance BIGINT NOT NULL)", role: .write),
            SQLStatement(
                "CREATE TABLE \(registersTable) (id BIGINT PRIMARY KEY, value BIGINT NOT NULL)", role: .write),
        ]
        let rows = (0..<accountCount).map { "(\($0), \(Self.openingBalance))" }.joined(separator: ", ")
        statements.append(
            SQLStatement("INSERT INTO \(accountsTable) (id, balance) VALUES \(rows)", role: .write))
        return statements
    }

    package var tearDown: [SQLStatement] {
        [appendsTable, accountsTable, registersTable].map { SQLStatement("DROP TABLE IF EXISTS \($0)", role: .write) }
    }

    // MARK: What the operations run

    package func append(_ id: Int64) -> SQLStatement {
        dialect == .sqlite
            ? SQLStatement("INSERT INTO \(appendsTable) (id) VALUES ($1)", [.int(id)], role: .write)
            : SQLStatement(
                "INSERT INTO \(appendsTable) (id) SELECT $1::bigint FROM pg_sleep($2::float8)",
                [.int(id), .double(statementTime.seconds)], role: .write)
    }

    /// - Parameters:
    ///   - echo: comes back as the second column.
    ///   - variant: which of the ``distinctStatements`` texts.
    ///   - time: how long it takes on the server; `nil`: the statement time.
    package func balance(of account: Int, echo: Int64, variant: Int = 0, time: Duration? = nil) -> SQLStatement {
        let mark = distinctStatements > 1 ? " /* \(variant) */" : ""
        return dialect == .sqlite
            ? SQLStatement(
                "SELECT balance, $2 FROM \(accountsTable) WHERE id = $1\(mark)",
                [.int(Int64(account)), .int(echo)], role: .read)
            : SQLStatement(
                "SELECT balance, $3::bigint FROM \(accountsTable), pg_sleep($2::float8) WHERE id = $1::bigint\(mark)",
                [.int(Int64(account)), .double((time ?? statementTime).seconds), .int(echo)], role: .read)
    }

    /// Sets a register to a number, unless it holds a later one: a write whose answer was lost may come late.
    package func set(register key: Int, to number: Int) -> SQLStatement {
        let value = dialect == .sqlite ? "VALUES ($1, $2)" : "VALUES ($1::bigint, $2::bigint)"
        return SQLStatement(
            "INSERT INTO \(registersTable) AS r (id, value) \(value) "
                + "ON CONFLICT (id) DO UPDATE SET value = excluded.value WHERE excluded.value > r.value",
            [.int(Int64(key)), .int(Int64(number))], role: .write)
    }

    /// - Parameter echo: comes back as the second column.
    package func value(ofRegister key: Int, echo: Int64) -> SQLStatement {
        let number = dialect == .sqlite ? "$2" : "$2::bigint"
        return SQLStatement(
            "SELECT coalesce((SELECT value FROM \(registersTable) WHERE id = $1), 0), \(number)",
            [.int(Int64(key)), .int(echo)], role: .read)
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
