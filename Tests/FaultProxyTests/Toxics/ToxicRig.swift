import RigModel
import Testing
import Threading

@testable import FaultProxy

/// One stream of one connection with its toxics, on a time that only moves when told.
struct ToxicRig {
    /// Something that left the chain.
    enum Leaving: Equatable, CustomStringConvertible {
        case bytes(String, at: Double)
        case end(at: Double)
        case close(CloseManner, at: Double)

        var description: String {
            switch self {
            case .bytes(let text, let time): "\"\(text)\" at \(time) ms"
            case .end(let time): "end at \(time) ms"
            case .close(let manner, let time): "\(manner) at \(time) ms"
            }
        }
    }

    private(set) var chain = ToxicChain()
    private(set) var toxics: [ActiveToxic] = []
    /// Everything that left, in order, with the milliseconds since the start.
    private(set) var left: [Leaving] = []
    private(set) var bytes: [UInt8] = []
    private(set) var now = ToxicRig.start
    private var lastBytesAt = ToxicRig.start
    private var hasReceived = false
    var stream: ProxyStream
    var seed: UInt64

    static let start = MonotonicInstant(nanoseconds: 1_000_000_000_000)

    /// A connection that is opened while these toxics are there.
    init(_ toxics: ActiveToxic..., stream: ProxyStream = .downstream, seed: UInt64 = 1) {
        self.stream = stream
        self.seed = seed
        set(toxics)
    }

    mutating func set(_ toxics: [ActiveToxic]) {
        self.toxics = toxics
        let context = ChainContext(
            seed: seed, proxy: "pg", connection: 7, stream: stream, hasReceived: hasReceived, lastBytesAt: lastBytesAt,
            now: now)
        take { $0.follow(toxics, context, into: &$1) }
    }

    mutating func add(_ toxic: ActiveToxic) { set(toxics + [toxic]) }

    mutating func remove(_ id: Int) { set(toxics.filter { $0.id != id }) }

    mutating func change(_ id: Int, _ words: String) throws {
        set(try toxics.map { $0.id == id ? try $0.with(words) : $0 })
    }

    mutating func send(_ text: String) { send(Array(text.utf8)) }

    mutating func send(_ bytes: [UInt8]) {
        let now = now
        lastBytesAt = now
        hasReceived = true
        // As a relay does it: an empty chain is not asked.
        if chain.isEmpty, !chain.isOver { return note([.pass(Chunk(bytes: bytes, arrival: now))]) }
        take { $0.receive(bytes, now: now, into: &$1) }
    }

    mutating func end() {
        let now = now
        take { $0.endOfStream(now: now, into: &$1) }
    }

    /// Lets time pass; the chain is woken exactly when it wants to be.
    mutating func pass(milliseconds: Double) {
        let target = now.advanced(by: .nanoseconds(Int64(milliseconds * 1e6)))
        while let time = chain.wakeAt, time <= target {
            now = max(now, time)
            wake()
        }
        now = target
    }

    mutating func wake() {
        let now = now
        take { $0.wake(now: now, into: &$1) }
        // Who follows it must not spin.
        #expect(chain.wakeAt ?? .distantFuture > now)
    }

    private mutating func take(_ work: (inout ToxicChain, inout [StageEffect]) -> Void) {
        let wasOver = chain.isOver
        var effects: [StageEffect] = []
        work(&chain, &effects)
        if wasOver { #expect(effects == []) }
        note(effects)
    }

    private mutating func note(_ effects: [StageEffect]) {
        let time = Double(now.nanoseconds - Self.start.nanoseconds) / 1e6
        for effect in effects {
            switch effect {
            case .pass(let chunk):
                #expect(!chunk.bytes.isEmpty)
                bytes += chunk.bytes
                left.append(.bytes(String(decoding: chunk.bytes, as: UTF8.self), at: time))
            case .end: left.append(.end(at: time))
            case .close(let manner): left.append(.close(manner, at: time))
            case .swallow: Issue.record("a swallow has left the chain")
            }
        }
    }
}

extension ActiveToxic {
    /// A toxic from its words, for example `latency=50ms`.
    init(_ words: String, id: Int = 1, record: ToxicRecord = ToxicRecord()) throws {
        let words = try ToxicWords(words)
        self.init(
            id: id, name: "toxic\(id)", stream: words.stream, toxicity: words.toxicity, toxic: words.toxic,
            record: record)
    }

    /// The same toxic after an update.
    func with(_ words: String) throws -> ActiveToxic {
        let changed = try ToxicWords(words)
        return ActiveToxic(
            id: id, name: name, stream: stream, toxicity: changed.toxicity, toxic: changed.toxic, record: record)
    }
}

/// An instant, in milliseconds since the start of a rig.
func at(milliseconds: Double) -> MonotonicInstant {
    ToxicRig.start.advanced(by: .nanoseconds(Int64(milliseconds * 1e6)))
}
