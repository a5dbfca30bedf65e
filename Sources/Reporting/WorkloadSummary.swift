package import RigModel

/// What the workers achieved, by kind of operation. A mergeable fold over the history; memory grows with the number of
/// kinds and of different failures.
package struct WorkloadSummary: Sendable {
    private struct Kind: Sendable {
        var ok = 0
        var fail = 0
        var info = 0
        var latency = LatencyHistogram()
        var failures: [String: Int] = [:]

        mutating func add(_ ended: OperationPairing.Ended?) {
            guard let ended else { return }
            switch ended.event.kind {
            case .ok:
                ok += 1
                latency.add(nanoseconds: ended.latencyNanoseconds)
                return
            case .fail: fail += 1
            case .info: info += 1
            case .invoke, .end: return
            }
            failures[WorkloadSummary.name(of: ended.event.completion?.error), default: 0] += 1
        }

        mutating func merge(_ other: Kind) {
            ok += other.ok
            fail += other.fail
            info += other.info
            latency.merge(other.latency)
            failures.merge(other.failures, uniquingKeysWith: +)
        }
    }

    private var kinds: [String: Kind] = [:]
    private var pairing = OperationPairing()
    /// Open model: scheduled operations that were never started.
    package private(set) var droppedOperations = 0

    package init() {}

    package mutating func observe(_ event: Event) {
        if event.process == .probe, event.function == "dropped" {
            droppedOperations += Int(min(max(event.value["operations"]?.intValue ?? 0, 0), Int64(Int32.max)))
        }
        guard case .worker = event.process else { return }
        let ended = pairing.observe(event)
        // A kind that was tried and never ended still has its line.
        kinds[event.function, default: Kind()].add(ended)
    }

    package mutating func merge(_ other: WorkloadSummary) {
        droppedOperations += other.droppedOperations
        pairing.merge(other.pairing)
        kinds.merge(other.kinds) { mine, theirs in
            var both = mine
            both.merge(theirs)
            return both
        }
    }

    /// One summary for each kind, sorted by name; the failures of each most frequent first, then by name.
    package var operations: [OperationSummary] {
        kinds.sorted { $0.key < $1.key }.map { name, kind in
            OperationSummary(
                kind: name, ok: kind.ok, fail: kind.fail, info: kind.info, latency: kind.latency,
                failures: kind.failures.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) })
        }
    }

    /// `57P01 session-ended`; the class alone where there was no code.
    private static func name(of error: FailureDescription?) -> String {
        guard let error else { return "unspecified" }
        return error.code.map { "\($0) \(error.failureClass)" } ?? error.failureClass
    }
}
