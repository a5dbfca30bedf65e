/// Where in its messages a stream is.
struct StreamPlace: Sendable {
    /// The header as far as it has come, in wire order.
    private(set) var header: (UInt8, UInt8, UInt8, UInt8, UInt8) = (0, 0, 0, 0, 0)
    /// Stays until the message ends.
    var headerCount = 0
    /// 4 where packets have no type (startup), else 5.
    var headerSize = 5
    var bodyLeft = 0
    /// The start of the body of a message that came in pieces, as far as somebody wants it.
    var captured: [UInt8] = []
    var captureLimit = 0

    @inline(__always)
    var isAtBoundary: Bool { headerCount == 0 }
    /// Bytes that surely belong to the message that has begun.
    var bytesToGo: Int { headerCount < headerSize ? headerSize - headerCount : bodyLeft }

    var type: UInt8 { header.0 }
    var length: UInt32 {
        withUnsafeBytes(of: header) { $0.bigEndian32(at: headerSize - 4) }
    }

    mutating func takeHeader(_ byte: UInt8) {
        withUnsafeMutableBytes(of: &header) { $0[headerCount] = byte }
        headerCount += 1
    }
}
