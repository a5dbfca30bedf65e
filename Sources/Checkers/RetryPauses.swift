import RigModel

/// The pauses before retries, by the number of the attempt that they follow. A mergeable fold in bounded memory: sums are
/// whole numbers, so that their order does not matter.
struct RetryPauses: Sendable {
    /// Attempts beyond this share one entry; no pool has more.
    private static let lastAttempt = 16
    /// Fewer pauses prove nothing about how they are drawn.
    private static let enough = 100

    private struct Sums: Sendable {
        var count: Int128 = 0
        /// Microseconds, and their squares.
        var sum: Int128 = 0
        var squares: Int128 = 0
        /// The attempt's number stands in `words`.
        var longest = Smallest<Incident>(limit: 50)
    }

    private var byAttempt: [Int: Sums] = [:]
    private(set) var first: (index: Int, time: Int64)?

    mutating func add(_ pause: Int64, after attempt: Int, _ event: Event) {
        if event.index < first?.index ?? .max { first = (event.index, event.time) }
        let attempt = min(max(1, attempt), Self.lastAttempt)
        let microseconds = Int128(min(max(pause, 0), 3_600_000_000_000) / 1000)
        let incident = Incident(event, weight: pause, since: event.time - max(0, pause), words: String(attempt))
        change(attempt) { sums in
            sums.count += 1
            sums.sum += microseconds
            sums.squares += microseconds * microseconds
            sums.longest.add(incident)
        }
    }

    mutating func merge(_ other: RetryPauses) {
        if let theirs = other.first, theirs.index < first?.index ?? .max { first = theirs }
        for (attempt, theirs) in other.byAttempt {
            change(attempt) { sums in
                sums.count += theirs.count
                sums.sum += theirs.sum
                sums.squares += theirs.squares
                sums.longest.merge(theirs.longest)
            }
        }
    }

    /// The fifty longest after each attempt, in the order of the attempts.
    var longest: [Incident] { byAttempt.keys.sorted().flatMap { byAttempt[$0]?.longest.elements ?? [] } }

    /// The longest pause that may follow an attempt, counted from 1.
    static func bound(after attempt: Int, base: Int64, cap: Int64) -> Int64 {
        let (product, overflow) = base.multipliedReportingOverflow(by: 1 << Int64(min(max(attempt - 1, 0), 40)))
        return overflow ? cap : min(cap, product)
    }

    /// The mean of all pauses as a share of what each may be at most: 0.5 with full jitter. `nil` when there are too few.
    func mean(base: Int64, cap: Int64) -> Double? { shares(base: base, cap: cap)?.mean }

    /// What is wrong with how the pauses are drawn; `nil`: nothing, or there are too few to tell. A hundred draws from a
    /// uniform range have a mean within 0.5 ± 0.2 and a deviation above 0.14 but once in 10⁹ runs.
    func shapeProblem(base: Int64, cap: Int64) -> String? {
        guard let shares = shares(base: base, cap: cap) else { return nil }
        let percent = Int((shares.mean * 100).rounded())
        let words = "\(shares.count) pauses of \(percent) % of the longest allowed on average"
        if abs(shares.mean - 0.5) > 0.2 { return words }
        return shares.variance < 0.02 ? "\(words), all of nearly the same length" : nil
    }

    private func shares(base: Int64, cap: Int64) -> (count: Int, mean: Double, variance: Double)? {
        var count = 0.0
        var sum = 0.0
        var squares = 0.0
        for attempt in byAttempt.keys.sorted() {
            let bound = Double(Self.bound(after: attempt, base: base, cap: cap)) / 1000
            guard let sums = byAttempt[attempt], bound > 0 else { continue }
            count += Double(sums.count)
            sum += Double(sums.sum) / bound
            squares += Double(sums.squares) / (bound * bound)
        }
        guard count >= Double(Self.enough) else { return nil }
        let mean = sum / count
        return (Int(count), mean, squares / count - mean * mean)
    }

    private mutating func change(_ attempt: Int, _ body: (inout Sums) -> Void) {
        body(&byAttempt[attempt, default: Sums()])
    }
}
