package import ConnectionPool
import EventLoop
import RigModel
import Threading

/// Where the rows of a COPY to the server go, see ``PostgresConnection/copyIn(_:deadline:_:)``.
///
/// Rows may be cut anywhere. They are collected into pieces of 64 KiB; a piece is written before the next is begun, so a slow
/// server slows its writer, and never more than two pieces are held. Not thread-safe.
package final class CopyWriter {
    private let session: Session
    private let watch: SocketWatch
    private let deadline: MonotonicInstant
    private let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    private var used = 0
    private var row: [UInt8] = []
    private var traffic = CopyTraffic()
    /// Why a write was not finished: then libpq still holds a part of it.
    private(set) var interruption: LoopError?

    init(session: Session, watch: SocketWatch, deadline: MonotonicInstant) {
        self.session = session
        self.watch = watch
        self.deadline = deadline
    }

    deinit { piece.deallocate() }

    /// The server has said an error: nothing more that is written will be kept.
    package var isRefused: Bool { traffic.isRefused }

    /// Writes bytes in the format that the COPY asks for.
    ///
    /// - Throws: ``DriverError``: `timedOut` or `cancelled`; or `protocolViolation` when the server has refused the rows already
    ///   (what it said is thrown by the COPY itself).
    package nonisolated(nonsending) func write(_ bytes: [UInt8]) async throws(DriverError) {
        var offset = 0
        while true {
            offset += bytes.withUnsafeBytes { take($0[offset...]) }
            if offset == bytes.count { return }
            try await flush()
        }
    }

    /// Writes text in UTF-8.
    package nonisolated(nonsending) func write(_ text: String) async throws(DriverError) {
        try await write(Array(text.utf8))
    }

    /// Writes one row in the text format (COPY's default): tabs between the values, `\N` for NULL.
    package nonisolated(nonsending) func write(row values: [SQLValue]) async throws(DriverError) {
        row.removeAll(keepingCapacity: true)
        for (index, value) in values.enumerated() {
            if index > 0 { row.append(UInt8(ascii: "\t")) }
            CopyText.append(value, to: &row)
        }
        row.append(UInt8(ascii: "\n"))
        try await write(row)
    }

    /// Gives the collected piece to the server.
    nonisolated(nonsending) func flush() async throws(DriverError) {
        let full = UnsafeRawBufferPointer(rebasing: piece[..<used])
        used = 0
        try await put(full)
    }

    /// Copies what the piece has room for.
    private func take(_ bytes: Slice<UnsafeRawBufferPointer>) -> Int {
        let count = min(bytes.count, piece.count - used)
        if count > 0 {
            piece[used..<(used + count)].copyBytes(from: bytes.prefix(count))
            used += count
        }
        return count
    }

    private nonisolated(nonsending) func put(_ bytes: UnsafeRawBufferPointer) async throws(DriverError) {
        try refuse()
        if bytes.isEmpty { return }
        do throws(LoopError) {
            if Task.isCancelled { throw .cancelled }
            if deadline <= .now { throw .timedOut }
            var progress = session.put(bytes, &traffic)
            while try await mustGoOn(progress, watch, until: deadline) { progress = session.putMore(&traffic) }
        } catch {
            interruption = error
            throw DriverError(interruption: error, "writing the rows of a COPY", requestSent: true)
        }
        try refuse()
    }

    private func refuse() throws(DriverError) {
        guard traffic.isRefused else { return }
        throw DriverError(.protocolViolation, "the server has refused the rows of a COPY; the COPY throws its error")
    }
}

/// PostgreSQL's text format of COPY.
enum CopyText {
    static func append(_ value: SQLValue, to bytes: inout [UInt8]) {
        switch value {
        case .null: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "N")]
        case .bool(let value): bytes.append(UInt8(ascii: value ? "t" : "f"))
        case .int(let value): bytes += String(value).utf8
        case .double(let value): bytes += value.description.utf8
        case .text(let text): for byte in text.utf8 { append(escaping: byte, to: &bytes) }
        }
    }

    private static func append(escaping byte: UInt8, to bytes: inout [UInt8]) {
        let letter: UInt8
        switch byte {
        case UInt8(ascii: "\\"): letter = byte
        case UInt8(ascii: "\t"): letter = UInt8(ascii: "t")
        case UInt8(ascii: "\n"): letter = UInt8(ascii: "n")
        case UInt8(ascii: "\r"): letter = UInt8(ascii: "r")
        default: return bytes.append(byte)
        }
        bytes += [UInt8(ascii: "\\"), letter]
    }
}
