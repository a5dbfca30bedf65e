import Dispatch
import Glibc
import LibPQ

/// One session on a PostgreSQL server, over libpq. Its blocking calls have a thread of their own.
public final class TinyConnection: @unchecked Sendable {
    /// Only used on `queue`.
    private let handle: OpaquePointer
    private let queue: DispatchQueue
    public let serverPID: Int

    private init(_ handle: OpaquePointer, _ queue: DispatchQueue) {
        self.handle = handle
        self.queue = queue
        serverPID = Int(PQbackendPID(handle))
    }

    static func open(_ url: String) async throws -> TinyConnection {
        let queue = DispatchQueue(label: "tiny-connection")
        return try await queue.run {
            guard let handle = PQconnectdb(url) else { throw TinyError.connectFailed("out of memory") }
            guard PQstatus(handle) == CONNECTION_OK else {
                defer { PQfinish(handle) }
                throw TinyError.connectFailed(String(cString: PQerrorMessage(handle)))
            }
            // libpq would print what the server says on standard error.
            PQsetNoticeProcessor(handle, { _, _ in }, nil)
            return TinyConnection(handle, queue)
        }
    }

    /// Runs a statement, and returns its rows as text.
    public func query(_ sql: String, _ parameters: [String?]) async throws -> [[String?]] {
        try await queue.run { [self] in
            let values = parameters.map { $0.map { UnsafePointer(strdup($0)) } ?? nil }
            defer { for value in values { free(UnsafeMutablePointer(mutating: value)) } }
            let result = PQexecParams(handle, sql, Int32(values.count), nil, values, nil, nil, 0)
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK: break
            default:
                guard let state = PQresultErrorField(result, Int32(UInt8(ascii: "C"))) else {
                    throw TinyError.connectionLost(String(cString: PQerrorMessage(handle)))
                }
                throw TinyError.server(sqlState: String(cString: state), String(cString: PQerrorMessage(handle)))
            }
            return (0..<PQntuples(result)).map { row in
                (0..<PQnfields(result)).map { column in
                    PQgetisnull(result, row, column) == 1 ? nil : String(cString: PQgetvalue(result, row, column))
                }
            }
        }
    }

    /// Alive as far as libpq knows, and in no transaction.
    func isReusable() async -> Bool {
        (try? await queue.run { [self] in
            PQstatus(handle) == CONNECTION_OK && PQtransactionStatus(handle) == PQTRANS_IDLE
        }) ?? false
    }

    func close() async { try? await queue.run { [self] in PQfinish(handle) } }
}

public enum TinyError: Error {
    case timedOut
    case closed
    case connectFailed(String)
    case connectionLost(String)
    case server(sqlState: String, String)
}

extension DispatchQueue {
    fileprivate func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            self.async { continuation.resume(with: Result { try body() }) }
        }
    }
}
