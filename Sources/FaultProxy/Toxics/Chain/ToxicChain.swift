package import Threading

/// The toxics at work in one stream of one connection, in the order in which the bytes pass them. Pure.
///
/// Effects that leave the chain are `pass`, `end` and `close`, appended in order. Nothing leaves behind an `end` or a
/// `close`. When one stream's chain closes the connection, the other one's must not be asked any more, so that its toxics do
/// not count the connection as theirs. The chain keeps the records of its toxics.
///
/// An orderly `close` of a toxic travels like the end of the stream through the toxics behind it, as in Toxiproxy: what they
/// hold goes on first, and a slow close delays it. A reset leaves at once.
package struct ToxicChain: Sendable {
    var links: [ChainLink] = []
    /// Nothing more comes in: the stream has ended, or a toxic that has gone since had cut it.
    var hasInputEnded = false
    /// The end that goes through the chain is an orderly close of the connection.
    private var isEndClose = false
    /// An `end` or a `close` has left.
    package private(set) var isOver = false
    /// The ids of the first list that was followed; `nil` before. Those toxics are older than the connection.
    var bornWith: [Int]?
    /// The ids of those toxics that had no work here when they came. They are not asked again.
    var idle: [Int] = []

    package init() {}

    /// Bytes pass unchanged and at once; there is no need to ask for them. An end must go through an empty chain too.
    package var isEmpty: Bool { links.isEmpty }

    /// Bytes in all toxics. O(number of toxics).
    package var heldBytes: Int { links.reduce(0) { $0 + $1.stage.heldBytes } }

    /// When ``wake(now:into:)`` must be called; `nil` for never.
    package var wakeAt: MonotonicInstant? {
        guard !isOver else { return nil }
        var earliest: MonotonicInstant?
        for link in links {
            if let time = link.stage.wakeAt, time < earliest ?? .distantFuture { earliest = time }
        }
        return earliest
    }

    /// The ids of the toxics that are at work here.
    package var toxics: [Int] { links.map(\.id) }

    package mutating func receive(_ bytes: [UInt8], now: MonotonicInstant, into effects: inout [StageEffect]) {
        guard !isOver, !hasInputEnded, !bytes.isEmpty else { return }
        give(Chunk(bytes: bytes, arrival: now), to: 0, now, into: &effects)
    }

    package mutating func endOfStream(now: MonotonicInstant, into effects: inout [StageEffect]) {
        guard !isOver, !hasInputEnded else { return }
        hasInputEnded = true
        giveEnd(to: 0, now, into: &effects)
    }

    /// Front to back, so that what one toxic lets go the next ones see in the same call.
    package mutating func wake(now: MonotonicInstant, into effects: inout [StageEffect]) {
        for index in links.indices where !isOver {
            guard let time = links[index].stage.wakeAt, time <= now else { continue }
            run(index, now, into: &effects) { stage, own in stage.wake(now: now, into: &own) }
        }
    }

    /// Forgets what is held. Nothing leaves any more.
    package mutating func drop() {
        links = []
        isOver = true
    }

    /// Lets a stage work, and what it does flow through the ones behind it.
    mutating func run(
        _ index: Int, _ now: MonotonicInstant, into effects: inout [StageEffect],
        _ work: (inout any ToxicStage, inout [StageEffect]) -> Void
    ) {
        var own: [StageEffect] = []
        work(&links[index].stage, &own)
        for effect in own where !isOver {
            switch effect {
            case .pass(let chunk) where links[index].hasEnded:
                links[index].noteSwallowed(chunk.bytes.count)
            case .pass(let chunk):
                links[index].notePassed(chunk, now)
                give(chunk, to: index + 1, now, into: &effects)
            case .swallow(let count):
                links[index].noteSwallowed(count)
            case .end:
                guard !links[index].hasEnded else { continue }
                links[index].hasEnded = true
                giveEnd(to: index + 1, now, into: &effects)
            case .close(.finish):
                guard !links[index].hasEnded else { continue }
                links[index].hasEnded = true
                links[index].noteClosed()
                isEndClose = true
                giveEnd(to: index + 1, now, into: &effects)
            case .close(.reset):
                links[index].noteClosed()
                isOver = true
                effects.append(effect)
            }
        }
    }

    private mutating func give(
        _ chunk: Chunk, to index: Int, _ now: MonotonicInstant, into effects: inout [StageEffect]
    ) {
        guard index < links.count else { return effects.append(.pass(chunk)) }
        let arrived = Chunk(bytes: chunk.bytes, arrival: now)
        run(index, now, into: &effects) { stage, own in stage.receive(arrived, now: now, into: &own) }
    }

    private mutating func giveEnd(to index: Int, _ now: MonotonicInstant, into effects: inout [StageEffect]) {
        guard index < links.count else {
            isOver = true
            return effects.append(isEndClose ? .close(.finish) : .end)
        }
        // A stage behind which the stream has been cut has nobody left to tell.
        guard !links[index].hasEnded else { return }
        run(index, now, into: &effects) { stage, own in stage.endOfStream(now: now, into: &own) }
    }
}
