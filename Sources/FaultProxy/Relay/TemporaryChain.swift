import Threading
struct ToxicChain {
    var isEmpty: Bool { true }
    var heldBytes: Int { 0 }
    var wakeAt: MonotonicInstant? { nil }
    mutating func receive(_ bytes: [UInt8], now: MonotonicInstant, into effects: inout [StageEffect]) {}
    mutating func endOfStream(now: MonotonicInstant, into effects: inout [StageEffect]) { effects.append(.end) }
    mutating func wake(now: MonotonicInstant, into effects: inout [StageEffect]) {}
    mutating func follow(_ toxics: [ActiveToxic], now: MonotonicInstant, into effects: inout [StageEffect]) {}
}
