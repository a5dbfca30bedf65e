package import RigModel

/// Which kinds of operations were tried, and how often each ended how. A run in which a kind never succeeded has tested
/// nothing of that kind; nor has one of a fault that no operation met. A mergeable fold; memory grows with the number of kinds,
/// and by two bits for each tenth of a second.
package struct OperationKinds: Sendable, Equatable {
    package struct Counts: Sendable, Equatable {
        package var invoked = 0
        package var ok = 0
        package var fail = 0
        package var info = 0

        package init(invoked: Int = 0, ok: Int = 0, fail: Int = 0, info: Int = 0) {
            self.invoked = invoked
            self.ok = ok
            self.fail = fail
            self.info = info
        }
    }

    package private(set) var counts: [String: Counts] = [:]

    /// Where an operation was in flight, and where a connection broke or could not be had.
    private var inFlight = ActivitySlices()
    private var broken = ActivitySlices()
    private var open = OpenOperations()

    package init() {}

    package mutating func observe(_ event: Event) {
        guard case .worker = event.process else {
            if Self.tellsOfBroken(event) { broken.mark(event.time) }
            return
        }
        if let begun = open.observe(event) { inFlight.mark(from: begun.time, to: event.time) }
        switch event.kind {
        case .invoke: counts[event.function, default: Counts()].invoked += 1
        case .ok: counts[event.function, default: Counts()].ok += 1
        case .fail: counts[event.function, default: Counts()].fail += 1
        case .info: counts[event.function, default: Counts()].info += 1
        case .end: break
        }
    }

    private static func tellsOfBroken(_ event: Event) -> Bool {
        switch event.function {
        case "session-ended": event.process == .probe
        case "connection-closed": event.process == .pool && CloseWords.isLoss(event.value["reason"]?.stringValue)
        case "connect-failed", "process-ended": event.process == .pool
        default: false
        }
    }

    /// An operation was in flight while the fault was active; or, where connections broke then, one was in flight within ten
    /// seconds after the heal: what a fault leaves behind is met later, by the burst after a quiet time for example.
    func met(_ injection: FaultTimeline.Injection) -> Bool {
        guard let inject = injection.inject?.time else { return false }
        let heal = max(inject, injection.heal?.time ?? .max)
        func wasInFlight(until end: Int64) -> Bool {
            inFlight.hasMark(from: inject, to: end) || (open.earliest ?? .max) <= end
        }
        if wasInFlight(until: heal) { return true }
        let soon = min(heal, Event.timeLimit / 2)
        return broken.hasMark(from: inject, to: soon + Self.noticed) && wasInFlight(until: soon + Self.aftermath)
    }

    /// How long after a heal the end of a session may be told, and how long what a fault broke is worth meeting.
    private static let noticed: Int64 = 1_000_000_000
    private static let aftermath: Int64 = 10_000_000_000

    package mutating func merge(_ other: OperationKinds) {
        inFlight.merge(other.inFlight)
        broken.merge(other.broken)
        open.merge(other.open)
        counts.merge(other.counts) { mine, theirs in
            Counts(
                invoked: mine.invoked + theirs.invoked, ok: mine.ok + theirs.ok, fail: mine.fail + theirs.fail,
                info: mine.info + theirs.info)
        }
    }

    /// Kinds that were tried and never ended in `ok`, sorted.
    package var neverSucceeded: [String] {
        counts.filter { $0.value.ok == 0 }.keys.sorted()
    }

    /// Those of `configured` that were never even tried, in their order.
    package func neverTried(of configured: [String]) -> [String] {
        configured.filter { counts[$0] == nil }
    }
}
