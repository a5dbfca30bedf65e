package import RigModel

/// Connects in flight and connects per second stay within limits after an outage.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct ConnectStorm: Checker {
    package static let shape = Shape(
        name: "connect-storm", summary: "connects in flight and connects per second stay within limits after an outage",
        parameters: [
            Parameter(
                "per-second", .count,
                summary: "connects in any second at the most; left out: four times max-open and 50 more"),
            Parameter(
                "in-flight", .count, summary: "connects at once at the most; left out: the pool's max-connecting"),
        ])

    package static let explanation = Explanation(
        claims: """
            A pool that lost its connections comes back without a storm: never more connects in flight than
            `connects_in_flight`, and in no second more of them, good or failed, than `per-second`.

            Without `per-second` the limit is four times `max_open` and 50 more: the whole pool several times over.
            Each connection that was lost in the same second, and had been opened before it or was used by an
            operation, gives room for another (`connections-per-loss` judges whether it had to go): a pool whose new
            connections die at once must not excuse itself with them. Time in which the machine stood still, within the second or in the one before,
            makes the limit larger by its share: what was late comes at once.
            """,
        needs: """
            An outage (a connection that was lost, or a connect that failed), and one of the limits. Of our own pool
            also its gauges.
            """,
        cannotSee: """
            Connects that ended neither way, what is in flight only between two gauges, and attempts inside a driver
            that tells the pool of the last one only.
            """)

    /// Tenths of a second.
    private static let slice: Int64 = 100_000_000
    private static let window: Int64 = 1_000_000_000

    private struct Slice: Sendable {
        /// Connects that ended.
        var count: Int64 = 0
        /// For each connection that was lost: in which slice it was opened; `Int64.min` where it was of use.
        var lost: [Int64] = []
        var firstIndex = Int.max
    }

    private let givenRate: Int64?
    private let givenInFlight: Int64?
    private var surroundings = Surroundings()
    private var connecting = GaugePeaks()
    /// By tenth of a second.
    private var slices: [Int64: Slice] = [:]
    private var lives = ConnectionLives()
    private var connects = 0
    private var failures = 0
    private var losses = 0
    private var sight = OwnPoolSight()

    package static let isMeasurement = true

    package init(_ parameters: Parameters) {
        givenRate = parameters.count("per-second").map { Int64($0) }
        givenInFlight = parameters.count("in-flight").map { Int64($0) }
    }

    package mutating func observe(_ event: Event) {
        surroundings.observe(event)
        lives.observe(event)
        sight.observe(event)
        guard event.process == .pool else { return }
        connecting.observe(event) { $0["connecting"]?.intValue }
        switch event.function {
        case "connection-opened" where event.value["age_ns"] == nil: add(event)
        case "connect-failed":
            failures += 1
            add(event)
        case "connection-closed":
            if CloseWords.isLoss(event.value["reason"]?.stringValue) { losses += 1 }
        default: break
        }
    }

    package mutating func merge(_ other: ConnectStorm) {
        surroundings.merge(other.surroundings)
        connecting.merge(other.connecting)
        slices.merge(other.slices) {
            Slice(count: $0.count + $1.count, firstIndex: min($0.firstIndex, $1.firstIndex))
        }
        lives.merge(other.lives)
        sight.merge(other.sight)
        connects += other.connects
        failures += other.failures
        losses += other.losses
    }

    package func finish() -> InvariantResult {
        let inFlight = givenInFlight ?? surroundings.total("connects_in_flight")
        let rate = givenRate ?? surroundings.total("max_open").map { 4 * $0 + 50 }
        var findings = Findings()
        let tooMany = inFlight.map { connecting.above($0) } ?? []
        findings.add(tooMany.map { finding($0, inFlight ?? 0) })
        let (storms, peak) = storms(limit: rate ?? .max)
        findings.add(storms)
        return .judged(
            Self.shape, findings, unless: nothingToJudge(inFlight, rate), summary: summary(inFlight, rate, peak),
            measured: [
                "connects": JSONValue(connects), "failed": JSONValue(failures), "lost": JSONValue(losses),
                "in_flight_peak": connecting.peak.map { .int($0) } ?? .null,
                "in_flight_limit": inFlight.map { .int($0) } ?? .null, "second_peak": .int(peak),
                "second_limit": rate.map { .int($0) } ?? .null, "storms": JSONValue(storms.count),
            ])
    }

    // MARK: Judging

    private func nothingToJudge(_ inFlight: Int64?, _ rate: Int64?) -> String? {
        if connects == 0 { return "nothing was ever connected" }
        if failures == 0 && losses == 0 { return "no connection was lost and no connect failed: there was no outage" }
        if inFlight == nil && rate == nil { return "the pool never told its limits, and the scenario gives none" }
        return sight.withoutGauges
    }

    private func finding(_ peak: GaugePeaks.Peak, _ limit: Int64) -> Finding {
        Finding(
            title: "\(counted(peak.value, "connect")) in flight at once",
            expected:
                "at most \(limit), \(givenInFlight == nil ? "the pool's max-connecting" : "as the scenario says")",
            seen: "\(peak.value) at \(peak.at.time.words), in a run in which \(counted(losses, "connection")) went and "
                + "\(counted(failures, "connect")) failed", events: [peak.at.index], time: peak.at.time,
            activeFault: surroundings.faults.words(at: peak.at.time))
    }

    /// The worst second of each unbroken time in which the limit was passed, and the worst second of all.
    private func storms(limit: Int64) -> (findings: [Finding], peak: Int64) {
        let sorted = slicesWithLosses.sorted { $0.key < $1.key }
        var peak: Int64 = 0
        var count: Int64 = 0
        var tail = 0
        var worst: (count: Int64, from: Int, to: Int, limit: Int64)?
        var lastOver: Int64 = 0
        var found: [Finding] = []
        func end() {
            if let storm = worst {
                found.append(finding(sorted[storm.from], sorted[storm.to], storm.count, storm.limit))
            }
            worst = nil
        }
        for (head, slice) in sorted.enumerated() {
            count += slice.value.count
            while (slice.key - sorted[tail].key) * Self.slice >= Self.window {
                count -= sorted[tail].value.count
                tail += 1
            }
            peak = max(peak, count)
            if (slice.key - lastOver) * Self.slice >= Self.window { end() }
            guard count > limit else { continue }
            let until = (slice.key + 1) * Self.slice
            let stalled = surroundings.stalled(from: until - 2 * Self.window, to: until)
            let begin = until / Self.slice - Self.window / Self.slice
            let lost = sorted[tail...head].reduce(0) { sum, slice in
                sum + Int64(slice.value.lost.count { $0 < begin })
            }
            let extended = limit + lost + Int64(Double(limit) * Double(stalled) / Double(Self.window))
            guard count > extended else { continue }
            lastOver = slice.key
            if count > worst?.count ?? 0 { worst = (count, tail, head, extended) }
        }
        end()
        return (found, peak)
    }

    private func finding(
        _ first: (key: Int64, value: Slice), _ last: (key: Int64, value: Slice), _ count: Int64, _ limit: Int64
    ) -> Finding {
        let time = first.key * Self.slice
        return Finding(
            title: "\(counted(count, "connect")) within a second", expected: "at most \(limit) in that second",
            seen: "\(count), good and failed, in the second from \(time.words) on",
            events: Set([first.value.firstIndex, last.value.firstIndex]).filter { $0 != .max }.sorted(), time: time,
            activeFault: surroundings.faults.words(from: time, to: time + Self.window))
    }

    private func summary(_ inFlight: Int64?, _ rate: Int64?, _ peak: Int64) -> String {
        var parts = ["at most \(counted(peak, "connect")) in a second" + (rate.map { " of \($0)" } ?? "")]
        if let seen = connecting.peak { parts.append("\(seen) in flight" + (inFlight.map { " of \($0)" } ?? "")) }
        parts.append(
            "\(counted(connects, "connect")) in all, \(failures) failed, \(counted(losses, "connection")) lost")
        return parts.joined(separator: ", ")
    }

    private var slicesWithLosses: [Int64: Slice] {
        var all = slices
        for life in lives.closed where CloseWords.isLoss(life.reason) {
            guard let closed = life.closed else { continue }
            let opened = life.isUsed ? nil : life.opened.map { $0.time / Self.slice }
            all[closed.time / Self.slice, default: Slice()].lost.append(opened ?? .min)
        }
        return all
    }

    private mutating func add(_ event: Event) {
        connects += 1
        let number = event.time / Self.slice
        slices[number, default: Slice()].count += 1
        slices[number, default: Slice()].firstIndex = min(slices[number]?.firstIndex ?? .max, event.index)
    }
}
