import CLibPQ
import CLinux
import ConnectionPool
import EventLoop
import Glibc
import RigModel
import Synchronization
import Threading

/// Which way a COPY goes.
enum CopyDirection {
    case toServer
    case fromServer

    var status: ExecStatusType { self == .toServer ? PGRES_COPY_IN : PGRES_COPY_OUT }
}

/// What one look for rows of a COPY found.
enum CopyRows {
    case some([UInt8])
    case wait
    case again
    /// No more rows: the verdict comes next.
    case end
}

extension Session {
    /// Sends a COPY statement.
    ///
    /// - Returns: where to wait, and whether the kernel did not take all of it.
    func begin(copy text: String, at now: MonotonicInstant) throws(DriverError) -> (SocketWatch, isUnflushed: Bool) {
        try state.withLock { (state) throws(DriverError) -> (SocketWatch, isUnflushed: Bool) in
            if let refusal = TextValues.refusal(of: SQLStatement(text, role: .write)) { throw refusal }
            isAtRest.store(false, ordering: .releasing)
            let connection = try state.admit(at: now)
            guard let watch = settled(&state) else { throw .notSent(.connectionLost, "the connection was closed") }
            try state.take(
                connection, text.withCString { PQsendQueryParams(connection, $0, 0, nil, nil, nil, nil, 0) == 1 })
            return (watch, PQflush(connection) == 1)
        }
    }

    /// Waits for the server to begin the COPY.
    ///
    /// - Parameters:
    ///   - reply: takes what comes instead; complete when `isOpen` stays `false`.
    ///   - isOpen: becomes `true` when rows may travel.
    func receiveStart(of direction: CopyDirection, _ reply: inout Reply, _ isOpen: inout Bool) -> Progress {
        let progress = state.withLock { state -> Progress? in
            guard let connection = state.connection else { return nil }
            var budget = ReadBudget()
            var isThere = PQconsumeInput(connection) == 1
            while isThere, PQisBusy(connection) == 1 {
                guard budget.allowsMore(from: connection) else { return budget.isSpent ? .again : .wait(.readable) }
                isThere = PQconsumeInput(connection) == 1
            }
            guard let result = PQgetResult(connection) else { return nil }
            if PQresultStatus(result) == direction.status {
                PQclear(result)
                isOpen = true
                return .complete
            }
            reply.take(result)
            return nil
        }
        // It was refused, or was no COPY at all: the rest is an ordinary answer.
        return progress ?? receive(&reply)
    }

    // MARK: To the server

    /// How long the kernel lets data go unanswered before it gives the connection up; 0: its own default. Linux counts the
    /// time in which the other side takes nothing, too, even while it answers the kernel's probes (tcp_probe_timer).
    ///
    /// - Returns: the former value; `nil` where there is none to set, as on a Unix socket.
    @discardableResult
    func setUserTimeout(milliseconds: UInt32) -> UInt32? {
        state.withLock { state in
            guard let connection = state.connection else { return nil }
            let socket = PQsocket(connection)
            var former: UInt32 = 0
            var wanted = milliseconds
            var size = socklen_t(MemoryLayout<UInt32>.size)
            guard socket >= 0, getsockopt(socket, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &former, &size) == 0,
                setsockopt(socket, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &wanted, size) == 0
            else { return nil }
            return former
        }
    }

    /// Gives libpq rows, and writes what the kernel takes.
    func put(_ bytes: UnsafeRawBufferPointer, _ traffic: inout CopyTraffic) -> Progress {
        state.withLock { state in
            guard let connection = state.connection, let start = bytes.baseAddress else { return .complete }
            let text = start.assumingMemoryBound(to: CChar.self)
            guard PQputCopyData(connection, text, Int32(bytes.count)) == 1 else {
                traffic.isRefused = true
                return .complete
            }
            return write(connection, state.watch, &traffic)
        }
    }

    /// Goes on writing rows.
    func putMore(_ traffic: inout CopyTraffic) -> Progress {
        state.withLock { state in
            guard let connection = state.connection else { return .complete }
            return write(connection, state.watch, &traffic)
        }
    }

    private func write(_ connection: OpaquePointer, _ watch: SocketWatch?, _ traffic: inout CopyTraffic) -> Progress {
        var budget = ReadBudget()
        while true {
            let isBlocked = PQflush(connection) == 1
            guard isBlocked || watch?.hasNews == true else { return .complete }
            // The server may have something to say: an error, or so many notices that it reads nothing before they are read.
            if traffic.isAligned, PQsslInUse(connection) == 0, PQgssEncInUse(connection) == 0 {
                var kind: UInt8 = 0
                let seen = recv(PQsocket(connection), &kind, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
                if seen == 1, kind == UInt8(ascii: "E") {
                    traffic.isRefused = true
                    return .complete
                }
            }
            guard budget.allowsMore(from: connection) else {
                if !isBlocked { return .complete }
                return budget.isSpent ? .again : .wait(.both)
            }
            traffic.isAligned = false
            guard PQconsumeInput(connection) == 1 else {
                traffic.isRefused = true
                return .complete
            }
            _ = PQisBusy(connection)  // parses: notices go to the log
        }
    }

    /// Ends the rows; the verdict comes next.
    ///
    /// - Parameter complaint: makes the server undo them, with this text in its error.
    /// - Returns: whether the kernel did not take all of it.
    func endCopy(complaint: String?) -> Bool {
        state.withLock { state in
            guard let connection = state.connection else { return false }
            if let complaint {
                _ = complaint.withCString { PQputCopyEnd(connection, $0) }
            } else {
                _ = PQputCopyEnd(connection, nil)
            }
            return PQflush(connection) == 1
        }
    }

    // MARK: From the server

    /// Takes whole rows, up to a little over `limit` bytes.
    func takeRows(limit: Int) -> CopyRows {
        state.withLock { state in
            guard let connection = state.connection else { return .end }
            var budget = ReadBudget()
            var rows: [UInt8] = []
            while true {
                var row: UnsafeMutablePointer<CChar>?
                let count = Int(PQgetCopyData(connection, &row, 1))
                if count > 0, let row {
                    if rows.isEmpty { rows.reserveCapacity(limit + count) }
                    rows.append(contentsOf: UnsafeRawBufferPointer(start: row, count: count))
                    PQfreemem(row)
                    if rows.count >= limit { return .some(rows) }
                    continue
                }
                if !rows.isEmpty { return .some(rows) }
                guard count == 0 else { return .end }
                guard budget.allowsMore(from: connection) else { return budget.isSpent ? .again : .wait }
                guard PQconsumeInput(connection) == 1 else { return .end }
            }
        }
    }
}

/// How the rows of a COPY travel to the server.
struct CopyTraffic {
    /// Nothing of what the server has sent was read, so the next byte is the first of a message.
    var isAligned = true
    /// More rows are of no use: the server has said an error, or the connection is gone.
    var isRefused = false
}
