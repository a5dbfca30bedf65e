import RigModel
import Threading

/// One toxic in a chain.
struct ChainLink: Sendable {
    let id: Int
    let record: ToxicRecord
    /// Those that the stage works with.
    var attributes: ToxicAttributes
    var stage: any ToxicStage
    /// The end has left it; whatever it still lets go is lost.
    var hasEnded = false
    /// A byte has left it, or the place where it was put.
    var hasPassed: Bool

    mutating func notePassed(_ chunk: Chunk, _ now: MonotonicInstant) {
        hasPassed = true
        let hold = now.nanoseconds(since: chunk.arrival)
        guard hold > 0 else { return }
        record.add {
            $0.holds.add(nanoseconds: hold)
            $0.heldBytes += chunk.bytes.count
        }
    }

    func noteSwallowed(_ count: Int) { record.add { $0.swallowedBytes += count } }

    func noteClosed() { record.add { $0.closed += 1 } }
}
