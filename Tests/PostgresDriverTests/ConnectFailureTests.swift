import ConnectionPool
import RigModel
import Testing

@testable import PostgresDriver

struct ConnectFailureTests {
    @Test(
        "The code is read from the end of libpq's text",
        arguments: [
            ("connection to server at \"::1\", port 1 failed: FATAL:  3D000\n", "3D000"),
            (
                "connection to server at \"h\", port 1 failed: FATAL:  57P03\nconnection to server at \"h\" (::1) failed: Connection refused\n\tIs the server running?\n",
                "57P03"
            ),
            ("connection failed: FATAL:  28000\nconnection failed: FATAL:  53300\n", "53300"),
            ("connection to server at \"h\", port 1 failed: Connection refused\n", nil),
            ("timeout expired\n", nil),
            ("", nil),
        ])
    func sqlState(text: String, expected: String?) {
        #expect(ConnectFailure.sqlState(in: text) == expected)
    }

    @Test func messageSaysWhatTheCodeMeans() {
        let error = ConnectFailure.error(libpqText: "failed: FATAL:  3D000\n", target: "h:1")
        #expect(error.cause == .connectFailed(sqlState: "3D000"))
        #expect(error.message == "cannot connect to h:1: failed: FATAL:  3D000: the database does not exist")
        #expect(!error.requestSent)
    }
}
