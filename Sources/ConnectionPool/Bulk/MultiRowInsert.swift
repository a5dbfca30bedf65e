public import Threading

/// Builds `INSERT … VALUES ($1,$2),($3,$4)…` for many rows. Pure.
///
/// The rows are spread over few different statement texts, so that caches of prepared statements find them again: as many
/// full statements as fit, and for the rest powers of two. 1 000 rows of 100 columns with 65 535 parameters become one
/// statement of 655 rows and others of 256, 64, 16, 8 and 1.
public struct MultiRowInsert: Sendable, Equatable {
    /// SQL text, not a value: quoted where it needs quotes.
    public var table: String
    /// SQL text, like the table.
    public var columns: [String]
    /// What follows the values: `ON CONFLICT DO NOTHING`, `RETURNING id`.
    public var suffix: String

    public init(into table: String, columns: [String], suffix: String = "") {
        precondition(!columns.isEmpty, "an INSERT into \(table) needs at least one column")
        self.table = table
        self.columns = columns
        self.suffix = suffix
    }

    /// The statements for the rows, in their order.
    ///
    /// - Parameters:
    ///   - maxParameters: per statement: 65 535 for PostgreSQL, 32 766 for SQLite.
    ///   - maxRows: per statement, where fewer are wanted than fit.
    /// - Complexity: O(values).
    public func statements(
        for rows: [[SQLValue]], maxParameters: Int, maxRows: Int = .max
    ) -> [SQLStatement] {
        precondition(columns.count <= maxParameters, "\(columns.count) columns, but only \(maxParameters) parameters")
        var texts: [Int: String] = [:]
        var statements: [SQLStatement] = []
        var start = 0
        for count in Self.sizes(of: rows.count, most: max(1, min(maxRows, maxParameters / columns.count))) {
            var parameters: [SQLValue] = []
            parameters.reserveCapacity(count * columns.count)
            for row in rows[start..<start + count] {
                precondition(row.count == columns.count, "a row has \(row.count) values for \(columns.count) columns")
                parameters += row
            }
            start += count
            let text = texts[count] ?? text(rows: count)
            texts[count] = text
            statements.append(SQLStatement(text, parameters, role: .write))
        }
        return statements
    }

    /// How many rows go into each statement: full ones, then powers of two.
    static func sizes(of rows: Int, most: Int) -> [Int] {
        var sizes = Array(repeating: most, count: rows / most)
        var rest = rows % most
        while rest > 0 {
            let size = 1 << (Int.bitWidth - 1 - rest.leadingZeroBitCount)
            sizes.append(size)
            rest -= size
        }
        return sizes
    }

    private func text(rows: Int) -> String {
        var text = "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES "
        var number = 1
        for row in 0..<rows {
            text += row == 0 ? "(" : ",("
            for column in columns.indices {
                text += column == 0 ? "$\(number)" : ",$\(number)"
                number += 1
            }
            text += ")"
        }
        return suffix.isEmpty ? text : "\(text) \(suffix)"
    }
}

extension Lease {
    /// Inserts many rows in one batch.
    ///
    /// - Returns: a result for each statement of ``MultiRowInsert/statements(for:maxParameters:maxRows:)``, with its number of
    ///   rows.
    public func insert(
        _ insert: MultiRowInsert, rows: [[SQLValue]], dialect: any SQLDialect,
        atomicity: BatchAtomicity = .allOrNothing, deadline: MonotonicInstant = .distantFuture
    ) async -> [Result<SQLResult, DriverError>] {
        let statements = insert.statements(for: rows, maxParameters: dialect.maxParameters)
        return await execute(batch: statements, atomicity: atomicity, deadline: deadline)
    }
}

extension Pool {
    /// Inserts many rows, all or none, in one batch.
    ///
    /// - Returns: the number of rows that each statement inserted.
    /// - Throws: ``PoolError``; the ``DriverError`` of the statement that failed.
    public func insert(
        _ insert: MultiRowInsert, rows: [[SQLValue]], deadline: MonotonicInstant = .distantFuture,
        file: StaticString = #fileID, line: UInt = #line
    ) async throws -> [Int] {
        let dialect = driver.dialect
        return try await withConnection(deadline: deadline, file: file, line: line) { lease in
            let results = await lease.insert(insert, rows: rows, dialect: dialect, deadline: deadline)
            let failures = results.compactMap(\.failure)
            if let error = failures.first(where: { !$0.isConsequence }) ?? failures.first { throw error }
            return results.compactMap { try? $0.get().affectedRows }
        }
    }
}
