import CSQLite
import ConnectionPool
import RigModel
import SQLiteDriver
import Testing
import Threading

@Suite struct SQLiteStatementTests {
    @Test func valuesComeBackAsTheyWereGiven() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.withConnection { connection async throws in
                let values: [SQLValue] = [
                    .null, .int(.min), .int(.max), .double(-0.1), .text(""), .text("a\0b"), .text("größer 🐘"),
                ]
                let names = (1...values.count).map { "$\($0)" }.joined(separator: ", ")
                #expect(try await connection.run("SELECT \(names)", values, role: .read).rows == [values])
                #expect(try await connection.single("SELECT $1", [.bool(true)]) == .int(1))
                #expect(try await connection.single("SELECT x'00ff'") == .text("\\x00ff"))
            }
        }
    }

    @Test func repeatedAndUnorderedParametersAreBoundByName() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.withConnection { connection async throws in
                let rows = try await connection.run("SELECT $2, $1, $2", [.int(1), .text("two")], role: .read).rows
                #expect(rows == [[.text("two"), .int(1), .text("two")]])
            }
        }
    }

    @Test func affectedRowsCountOnlyWhatThisStatementChanged() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable()
            try await database.withConnection { connection async throws in
                #expect(try await connection.run("INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)").affectedRows == 3)
                #expect(try await connection.run("SELECT * FROM t", role: .read).affectedRows == 0)
                #expect(try await connection.run("UPDATE t SET v = 9 WHERE id > 1").affectedRows == 2)
                #expect(try await connection.run("UPDATE t SET v = 9 WHERE id > 7").affectedRows == 0)
                #expect(try await connection.run("DELETE FROM t RETURNING id").rows.count == 3)
            }
        }
    }

    @Test(
        "A statement that does not fit is refused unsent",
        arguments: [
            ("SELECT $1, $2", [SQLValue.int(1)], "SQLITE_RANGE"), ("SELECT $1", [.int(1), .int(2)], "SQLITE_RANGE"),
            ("SELECT $2", [.int(1)], "SQLITE_RANGE"), ("SELECT ?", [.int(1)], "SQLITE_RANGE"),
            ("SELEKT 1", [], "SQLITE_ERROR"), ("SELECT 1; SELECT 2", [], "SQLITE_MISUSE"),
        ])
    func refused(text: String, parameters: [SQLValue], code: String) async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.withConnection { connection async throws in
                let error = try await failure { () async throws(DriverError) in
                    try await connection.run(text, parameters)
                }
                #expect(error.cause == .embedded(code: code))
                #expect(!error.requestSent)
                #expect(connection.transactionStatus == .idle)
            }
        }
    }

    @Test func spacesAndCommentsAfterAStatementAreNoSecondOne() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.withConnection { connection async throws in
                #expect(try await connection.single("SELECT 7;  -- and no more\n ;") == .int(7))
                #expect(try await connection.run("  -- nothing") == SQLResult())
            }
        }
    }

    @Test func errorsCarryTheirExtendedCode() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable()
            try await database.withConnection { connection async throws in
                _ = try await connection.run("CREATE TABLE child (parent REFERENCES t(id))")
                _ = try await connection.run("INSERT INTO t VALUES (1, 1)")
                let twice = try await failure { () async throws(DriverError) in
                    try await connection.run("INSERT INTO t VALUES (1, 1)")
                }
                #expect(twice.cause == .embedded(code: "SQLITE_CONSTRAINT_PRIMARYKEY"))
                #expect(twice.requestSent)
                let orphan = try await failure { () async throws(DriverError) in
                    try await connection.run("INSERT INTO child VALUES (99)")
                }
                #expect(orphan.cause == .embedded(code: "SQLITE_CONSTRAINT_FOREIGNKEY"))
            }
        }
    }

    @Test func rollbackWithoutATransactionIsNoError() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.withConnection { connection async throws in
                #expect(try await connection.execute(.rollback, deadline: .soon) == SQLResult())
                let commit = try await failure { () async throws(DriverError) in
                    try await connection.execute(.commit, deadline: .soon)
                }
                #expect(commit.cause == .embedded(code: "SQLITE_ERROR"))
            }
        }
    }

    @Test func statementThatSomebodyForgotIsNamedAtClose() async throws {
        try await TemporaryDatabase.with { database async throws in
            let handle = SQLiteHandle()
            try handle.open(database.configuration())
            var forgotten: OpaquePointer?
            #expect(sqlite3_prepare_v2(handle.database, "SELECT 'forgotten'", -1, &forgotten, nil) == SQLITE_OK)
            #expect(handle.close() == ["SELECT 'forgotten'"])
            #expect(handle.close() == [])
            #expect(database.openDescriptors == [])
        }
    }
}
