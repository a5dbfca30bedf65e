/// The tag of a CommandComplete, kept without an allocation: it comes with every statement.
struct CommandTag: Sendable {
    static let limit = 64
    private var storage: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0, 0)
    private var count = -1

    /// - Parameter body: of a CommandComplete; what is beyond the limit is cut off.
    @inline(__always)
    mutating func set(_ body: UnsafeRawBufferPointer) {
        let wanted = min(body.count, Self.limit)
        count = wanted > 0 && body[wanted - 1] == 0 ? wanted - 1 : wanted
        withUnsafeMutableBytes(of: &storage) {
            $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: body[..<wanted]))
        }
    }

    var text: String? {
        guard count >= 0 else { return nil }
        return withUnsafeBytes(of: storage) { $0.text(0..<count) }
    }
}
