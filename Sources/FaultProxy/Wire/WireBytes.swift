/// Reading PostgreSQL's numbers and strings in place.
extension UnsafeRawBufferPointer {
    @inline(__always)
    func bigEndian32(at offset: Int) -> UInt32 {
        UInt32(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    /// The bytes of a zero-terminated string, without the zero; `nil` where no zero follows.
    func stringRange(at offset: Int) -> Range<Int>? {
        var end = offset
        while end < count {
            if self[end] == 0 { return offset..<end }
            end += 1
        }
        return nil
    }

    func text(_ range: Range<Int>) -> String {
        String(decoding: UnsafeRawBufferPointer(rebasing: self[range]), as: UTF8.self)
    }
}
