import RigModel
import Threading

/// Connections that were idle for at least `idle_ms` when the toxic was added are dead from then on, and nobody says so:
/// what load balancers, NAT and firewalls do to idle connections of a pool. New connections, and those that were in use,
/// are not affected.
///
/// With `answer: none` everything is swallowed in both streams; with `reset` the first thing that the client sends is
/// answered with a RST. Whom it affects is decided once: a change of `idle_ms` changes nothing. Removing it resets those
/// connections from which it has swallowed something; the others live again.
package struct HalfOpenToxic: Toxic {
    package enum Answer: String, Sendable, CaseIterable {
        case none
        case reset
    }

    package static let type = ToxicType(
        "half_open", "silently forgets connections that are idle",
        [
            .count("idle_ms", .milliseconds, "how long a connection must be idle, in milliseconds"),
            ToxicAttribute(
                "answer", .choice(Answer.allCases.map(\.rawValue)), .none, standard: "none",
                "what the client gets that sends again: nothing, or a RST"),
        ], spansBothStreams: true, make: { HalfOpenToxic($0) })

    package let attributes: ToxicAttributes
    /// Nanoseconds.
    let idle: Int64
    let answer: Answer

    package init(_ attributes: ToxicAttributes) {
        self.attributes = attributes
        idle = ToxicTime.nanoseconds(milliseconds: attributes.integer("idle_ms"))
        answer = Answer(rawValue: attributes.choice("answer")) ?? .none
    }

    package func makeStage(_ context: StageContext) -> (any ToxicStage)? {
        guard context.isOlderThanToxic, context.now.nanoseconds(since: context.lastBytesAt) >= idle else { return nil }
        return HalfOpenStage(answer: answer, stream: context.stream)
    }
}

struct HalfOpenStage: ToxicStage {
    private var answer: HalfOpenToxic.Answer
    private let stream: ProxyStream
    private var hasSwallowed = false

    init(answer: HalfOpenToxic.Answer, stream: ProxyStream) {
        self.answer = answer
        self.stream = stream
    }

    var heldBytes: Int { 0 }
    var wakeAt: MonotonicInstant? { nil }

    mutating func receive(_ chunk: Chunk, now: MonotonicInstant, into effects: inout [StageEffect]) {
        effects.append(.swallow(chunk.bytes.count))
        noteSwallowed(into: &effects)
    }

    /// A FIN is a packet as well.
    mutating func endOfStream(now: MonotonicInstant, into effects: inout [StageEffect]) {
        noteSwallowed(into: &effects)
    }

    private mutating func noteSwallowed(into effects: inout [StageEffect]) {
        hasSwallowed = true
        if answer == .reset, stream == .upstream { effects.append(.close(.reset)) }
    }

    mutating func wake(now: MonotonicInstant, into effects: inout [StageEffect]) {}

    mutating func adopt(_ toxic: any Toxic, now: MonotonicInstant, into effects: inout [StageEffect]) {
        guard let toxic = toxic as? HalfOpenToxic else { return }
        answer = toxic.answer
    }

    mutating func remove(now: MonotonicInstant, into effects: inout [StageEffect]) {
        if hasSwallowed { effects.append(.close(.reset)) }
    }
}
