/// Random keys of the benchmark's table: xorshift, as cheap as in the harness in C.
struct KeyStream: Sendable {
    /// The rows of `bench_kv`, numbered from 1.
    static let keys = 100_000
    private var state: UInt64

    init(worker: Int) { state = 88_172_645_463_325_252 &+ UInt64(worker) &* 7919 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    /// A key of the table.
    mutating func key() -> Int64 { Int64(next() % UInt64(Self.keys)) + 1 }

    /// A number in `0..<1`.
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
