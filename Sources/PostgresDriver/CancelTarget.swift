import CLibPQ
import Glibc

/// Where, and with which words, to ask the server to end what a session runs.
///
/// libpq has the secret key of a session, but its only way to use it (PQcancel, until libpq 17) blocks the thread, and without
/// a bound when the server is frozen. So the key is read where libpq keeps it: in PGcancel, whose beginning is the same in
/// libpq 12 to 17: `{ { struct sockaddr_storage addr; socklen_t salen; }; int be_pid; int be_key; … }` (libpq-int.h). The
/// address's length and family and the process number, which are known, must agree; with another layout nothing is asked.
struct CancelTarget: Sendable {
    /// A `sockaddr` of any family.
    let address: [UInt8]
    /// The message CancelRequest of protocol 3.0.
    let request: [UInt8]

    init(address: [UInt8], request: [UInt8]) {
        self.address = address
        self.request = request
    }

    /// - Returns: `nil` when the server gave no key, or libpq is one that is not known here.
    init?(of connection: OpaquePointer) {
        let process = PQbackendPID(connection)
        guard process != 0, (120_000..<180_000).contains(PQlibVersion()), let cancel = PQgetCancel(connection) else {
            return nil
        }
        defer { PQfreeCancel(cancel) }
        let bytes = UnsafeRawPointer(cancel)
        let addressSize = MemoryLayout<sockaddr_storage>.size
        let size = Int(bytes.load(fromByteOffset: addressSize, as: UInt32.self))
        // The inner struct is padded to the alignment of its address, 8.
        let key = bytes.load(fromByteOffset: addressSize + 12, as: UInt32.self)
        guard bytes.load(fromByteOffset: addressSize + 8, as: Int32.self) == process, (3...addressSize).contains(size),
            bytes.load(as: sa_family_t.self) == Self.family(of: PQsocket(connection))
        else { return nil }
        address = Array(UnsafeRawBufferPointer(start: bytes, count: size))
        let words: [UInt32] = [16, 1234 << 16 | 5678, UInt32(bitPattern: process), key]
        request = words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) } }
    }

    private static func family(of socket: Int32) -> sa_family_t? {
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(socket, $0, &size) }
        }
        return status == 0 ? address.ss_family : nil
    }
}
