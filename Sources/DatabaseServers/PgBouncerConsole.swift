import CLibPQ
import Glibc
import HostSystem
import Threading

/// Commands to the admin console of a PgBouncer, over its Unix socket, each on a connection of its own (about 1 ms).
///
/// The console knows simple queries only, so the rig's own driver cannot talk to it.
struct PgBouncerConsole: Sendable {
    let socketFolder: String
    let port: UInt16
    let role: String

    /// Runs one command on the calling thread.
    ///
    /// - Returns: its rows, values by column; no value for NULL.
    /// - Throws: ``PoolerError/console(command:sqlState:message:)``. The connection is closed then, but a command that had
    ///   no answer in time may go on (PAUSE does).
    func run(_ command: String, until deadline: MonotonicInstant) throws(PoolerError) -> [[String: String]] {
        let words = [
            "host='\(Self.escaped(socketFolder))'", "port=\(port)", "user='\(Self.escaped(role))'", "dbname=pgbouncer",
            "application_name=chaosrig-console", "sslmode=disable", "gssencmode=disable",
        ]
        guard let connection = PQconnectStart(words.joined(separator: " ")) else {
            throw .console(command: command, sqlState: nil, message: "out of memory")
        }
        defer { PQfinish(connection) }
        PQsetNoticeProcessor(connection, { _, _ in }, nil)
        let attempt = Attempt(connection: connection, command: command, deadline: deadline)
        try attempt.connect()
        return try attempt.query()
    }

    private static func escaped(_ value: String) -> String {
        value.map { $0 == "'" || $0 == "\\" ? "\\\($0)" : String($0) }.joined()
    }

    private struct Attempt {
        let connection: OpaquePointer
        let command: String
        let deadline: MonotonicInstant

        func connect() throws(PoolerError) {
            var state = PGRES_POLLING_WRITING
            while state != PGRES_POLLING_OK {
                guard state != PGRES_POLLING_FAILED, PQstatus(connection) != CONNECTION_BAD else { throw failure() }
                try wait(for: state == PGRES_POLLING_READING ? POLLIN : POLLOUT)
                state = PQconnectPoll(connection)
            }
        }

        func query() throws(PoolerError) -> [[String: String]] {
            guard PQsendQuery(connection, command) == 1 else { throw failure() }
            var rows: [[String: String]] = []
            while true {
                while PQisBusy(connection) == 1 {
                    try wait(for: POLLIN)
                    guard PQconsumeInput(connection) == 1 else { throw failure() }
                }
                guard let result = PQgetResult(connection) else { return rows }
                defer { PQclear(result) }
                switch PQresultStatus(result) {
                case PGRES_TUPLES_OK: rows += Self.rows(of: result)
                case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
                default:
                    // PG_DIAG_SQLSTATE, a character constant that Swift does not import.
                    let state = PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { String(cString: $0) }
                    throw .console(
                        command: command, sqlState: state,
                        message: Self.oneLine(PQresultErrorMessage(result).map { String(cString: $0) }))
                }
            }
        }

        private static func rows(of result: OpaquePointer) -> [[String: String]] {
            (0..<PQntuples(result)).map { row in
                var values: [String: String] = [:]
                for column in 0..<PQnfields(result) where PQgetisnull(result, row, column) == 0 {
                    guard let name = PQfname(result, column), let value = PQgetvalue(result, row, column) else {
                        continue
                    }
                    values[String(cString: name)] = String(cString: value)
                }
                return values
            }
        }

        private func wait(for events: Int32) throws(PoolerError) {
            guard Waiting.forDescriptor(PQsocket(connection), events: events, until: deadline) else {
                throw .console(command: command, sqlState: nil, message: "no answer in time")
            }
        }

        private func failure() -> PoolerError {
            .console(
                command: command, sqlState: nil,
                message: Self.oneLine(PQerrorMessage(connection).map { String(cString: $0) }))
        }

        private static func oneLine(_ text: String?) -> String {
            (text ?? "").split(separator: "\n").map { $0.drop { $0 == "\t" } }.joined(separator: " ")
        }
    }
}
