import ConnectionPool

/// The statements of the benchmark, on the table `bench_kv(id, n, v)`.
enum BenchSQL {
    static let select1 = "SELECT 1"
    static let lookUp = "SELECT v FROM bench_kv WHERE id=$1"
    static let update = "UPDATE bench_kv SET n=n+1 WHERE id=$1"

    /// The statement of one operation of a scenario, with a key drawn anew.
    static func statement(_ operation: String, _ keys: inout KeyStream) -> SQLStatement {
        switch operation {
        case "select1": SQLStatement(select1, role: .read)
        case "upd", "write": SQLStatement(update, [.int(keys.key())], role: .write)
        case "mix90" where keys.next() % 10 == 0: SQLStatement(update, [.int(keys.key())], role: .write)
        default: SQLStatement(lookUp, [.int(keys.key())], role: .read)
        }
    }

    /// The table on a PostgreSQL server, with room on each page for updates in place.
    static let postgresSchema = [
        "DROP TABLE IF EXISTS bench_kv",
        "CREATE TABLE bench_kv(id int PRIMARY KEY, n int NOT NULL DEFAULT 0, v text NOT NULL) WITH (fillfactor=50)",
        "INSERT INTO bench_kv SELECT i, 0, 'value ' || i FROM generate_series(1, \(KeyStream.keys)) i",
        "VACUUM ANALYZE bench_kv",
    ]

    static let sqliteSchema = [
        "CREATE TABLE bench_kv(id INTEGER PRIMARY KEY, n INT NOT NULL, v TEXT NOT NULL)",
        """
        WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < \(KeyStream.keys))
        INSERT INTO bench_kv SELECT i, 0, 'value ' || i FROM s
        """,
    ]
}

/// An answer that is not the one that was asked for.
struct WrongAnswer: Error, CustomStringConvertible {
    let description: String
}

extension SQLResult {
    /// Every look-up has one row, every update changes one: an empty answer would be fast and wrong.
    func check(columns: Int = 1, _ statement: SQLStatement) throws {
        let isRight = statement.role == .write ? affectedRows == 1 : rows.count == 1 && rows[0].count == columns
        if !isRight {
            throw WrongAnswer(
                description: "\(statement.text) gave \(rows.count) rows and changed \(affectedRows), expected one")
        }
    }
}
