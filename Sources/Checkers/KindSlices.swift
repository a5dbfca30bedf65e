import RigModel

/// For each kind of operation: in which tenths of a second one was begun, and in which one succeeded. A mergeable fold; two bits
/// for each kind and slice, and 40 bytes for each kind and second.
struct KindSlices: Sendable {
    struct Kind: Sendable {
        var begun = ActivitySlices()
        var succeeded = ActivitySlices()
        /// Begun and not ended.
        var open = 0
        /// By second: the first event that began one, and the first that ended one without success.
        var evidence: [Int64: Evidence] = [:]

        /// The first try and the first failure from a second on that come after a place of the history.
        func events(after index: Int, from time: Int64) -> [Int] {
            let later = evidence.filter { $0.key >= time / KindSlices.second }.sorted { $0.key < $1.key }.map(\.value)
            let first = [\Evidence.begun, \.failed].compactMap { path in
                later.lazy.map { $0[keyPath: path] }.first { $0 > index && $0 < .max }
            }
            return first
        }
    }

    struct Evidence: Sendable {
        var begun = Int.max
        var failed = Int.max
    }

    private static let second: Int64 = 1_000_000_000

    private(set) var kinds: [String: Kind] = [:]

    mutating func observe(_ event: Event) {
        guard case .worker = event.process else { return }
        switch event.kind {
        case .invoke:
            kinds[event.function, default: Kind()].begun.mark(event.time)
            kinds[event.function, default: Kind()].open += 1
            note(event, \.begun)
        case .ok:
            kinds[event.function, default: Kind()].succeeded.mark(event.time)
            kinds[event.function, default: Kind()].open -= 1
        case .fail, .info:
            kinds[event.function, default: Kind()].open -= 1
            note(event, \.failed)
        case .end: break
        }
    }

    private mutating func note(_ event: Event, _ path: WritableKeyPath<Evidence, Int>) {
        let number = event.time / Self.second
        if kinds[event.function]?.evidence[number]?[keyPath: path] ?? .max < event.index { return }
        kinds[event.function]?.evidence[number, default: Evidence()][keyPath: path] = event.index
    }

    mutating func merge(_ other: KindSlices) {
        kinds.merge(other.kinds) { mine, theirs in
            var both = mine
            both.begun.merge(theirs.begun)
            both.succeeded.merge(theirs.succeeded)
            both.open += theirs.open
            both.evidence.merge(theirs.evidence) {
                Evidence(begun: min($0.begun, $1.begun), failed: min($0.failed, $1.failed))
            }
            return both
        }
    }
}
