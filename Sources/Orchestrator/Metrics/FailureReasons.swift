/// How often operations failed for which reason, with a bound on the values that a label can have: a reason holds the code that an
/// adapter, or a user's own pool, took from wherever it liked. A value.
struct FailureReasons: Sendable, Equatable {
    /// Different reasons; the rarer ones are one more, ``others``.
    static let limit = 64
    /// Characters of a reason.
    static let lengthLimit = 80
    static let others = "other"

    private(set) var counts: [String: Int] = [:]

    init() {}

    init(_ failures: [(name: String, count: Int)]) { add(failures) }

    mutating func merge(_ other: FailureReasons) { add(other.counts.map { ($0.key, $0.value) }) }

    private mutating func add(_ failures: [(name: String, count: Int)]) {
        for failure in failures { counts[String(failure.name.prefix(Self.lengthLimit)), default: 0] += failure.count }
        guard counts.count > Self.limit else { return }
        let rest = counts.removeValue(forKey: Self.others) ?? 0
        let ranked = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        counts = Dictionary(uniqueKeysWithValues: ranked.prefix(Self.limit).map { ($0.key, $0.value) })
        counts[Self.others] = ranked.dropFirst(Self.limit).reduce(rest) { $0 + $1.value }
    }
}
