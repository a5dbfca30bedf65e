import RigModel
import Threading

/// Ends the connection after a time, a number of bytes or a number of messages in its stream, whichever comes first.
///
/// All is counted from when the connection was opened, or from when the toxic was added to an open one. Exactly the bytes
/// up to the limit pass. Messages are those of PostgreSQL, each negotiation and startup packet and each one-byte answer to
/// a negotiation included; bytes that are no messages, such as encrypted ones, do not count. On an open connection the next
/// byte is supposed to begin a message.
package struct CutAfterToxic: Toxic {
    package static let type = ToxicType(
        "cut_after", "ends the connection after a time, bytes or messages",
        [
            .count("after_ms", .milliseconds, "time until the end in milliseconds; 0 for no such limit"),
            .count("bytes", .bytes, "bytes that pass before the end; 0 for no such limit"),
            .count("messages", .none, "complete PostgreSQL messages that pass before the end; 0 for no such limit"),
            ToxicAttribute(
                "manner", .choice(CloseManner.allCases.map(\.rawValue)), .none,
                standard: JSONValue.string(CloseManner.reset.rawValue),
                "how it ends: reset (RST, what is on its way is lost) or finish (FIN behind it)"),
        ], make: { CutAfterToxic($0) })

    package let attributes: ToxicAttributes
    /// Nanoseconds; `nil` and the others likewise: no limit.
    let time: Int64?
    let bytes: Int?
    let messages: Int?
    let manner: CloseManner

    package init(_ attributes: ToxicAttributes) {
        self.attributes = attributes
        func limit(_ name: String) -> Int64? {
            let value = attributes.integer(name)
            return value > 0 ? value : nil
        }
        time = limit("after_ms").map { ToxicTime.nanoseconds(milliseconds: $0) }
        bytes = limit("bytes").map { Int($0) }
        messages = limit("messages").map { Int($0) }
        manner = CloseManner(rawValue: attributes.choice("manner")) ?? .reset
    }

    package func makeStage(_ context: StageContext) -> (any ToxicStage)? {
        CutAfterStage(toxic: self, stream: context.stream, seesStart: context.seesStart, now: context.now)
    }
}

struct CutAfterStage: ToxicStage {
    private var toxic: CutAfterToxic
    private let start: MonotonicInstant
    private var framer: MessageFramer
    private var bytes = 0
    private var messages = 0
    private var isOver = false

    init(toxic: CutAfterToxic, stream: ProxyStream, seesStart: Bool, now: MonotonicInstant) {
        self.toxic = toxic
        start = now
        framer = MessageFramer(stream, seesStart: seesStart)
    }

    var heldBytes: Int { 0 }
    var wakeAt: MonotonicInstant? { isOver ? nil : toxic.time.map { start.after(nanoseconds: $0) } }

    mutating func receive(_ chunk: Chunk, now: MonotonicInstant, into effects: inout [StageEffect]) {
        // What comes in the same moment as the end of the time is late.
        let count = isOver || isTimeOver(now) ? 0 : admitted(of: chunk.bytes)
        bytes += count
        if count == chunk.bytes.count {
            effects.append(.pass(chunk))
        } else {
            if count > 0 {
                effects.append(.pass(Chunk(bytes: Array(chunk.bytes[..<count]), arrival: chunk.arrival)))
            }
            effects.append(.swallow(chunk.bytes.count - count))
        }
        closeAtLimit(now, into: &effects)
    }

    /// How many bytes pass. Counts the messages that end in them.
    private mutating func admitted(of chunk: [UInt8]) -> Int {
        let allowed = toxic.bytes.map { min(max($0 - bytes, 0), chunk.count) } ?? chunk.count
        var position = 0
        while position < allowed, let length = framer.lengthToMessageEnd(in: chunk[position..<allowed]) {
            position += length
            messages += 1
            if let limit = toxic.messages, messages >= limit { return position }
        }
        return allowed
    }

    private func isTimeOver(_ now: MonotonicInstant) -> Bool { wakeAt.map { $0 <= now } ?? false }

    private mutating func closeAtLimit(_ now: MonotonicInstant, into effects: inout [StageEffect]) {
        guard !isOver, isTimeOver(now) || bytes >= toxic.bytes ?? .max || messages >= toxic.messages ?? .max else {
            return
        }
        isOver = true
        effects.append(.close(toxic.manner))
    }

    mutating func endOfStream(now: MonotonicInstant, into effects: inout [StageEffect]) { effects.append(.end) }

    mutating func wake(now: MonotonicInstant, into effects: inout [StageEffect]) { closeAtLimit(now, into: &effects) }

    mutating func adopt(_ toxic: any Toxic, now: MonotonicInstant, into effects: inout [StageEffect]) {
        guard let toxic = toxic as? CutAfterToxic else { return }
        self.toxic = toxic
        closeAtLimit(now, into: &effects)
    }

    mutating func remove(now: MonotonicInstant, into effects: inout [StageEffect]) {}
}
