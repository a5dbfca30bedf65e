import Checkers
import RigModel
import Testing

/// Splitting a history by process, folding the parts and merging them in any order gives the same result as one fold.
private func expectMergeLaw<C: Checker>(
    _ type: C.Type, _ events: [Event], _ parameters: Parameters, _ random: inout SeededGenerator,
    sourceLocation: SourceLocation = #_sourceLocation
) -> InvariantResult {
    let whole = judge(type, events, parameters)
    for parts in [2, 3, 6] {
        var partOfProcess: [Event.Process: Int] = [:]
        var checkers = Array(repeating: C(parameters), count: parts)
        for event in events {
            let part = partOfProcess[event.process] ?? Int.random(in: 0..<parts, using: &random)
            partOfProcess[event.process] = part
            checkers[part].observe(event)
        }
        checkers.shuffle(using: &random)
        // Not always one into the next: any tree.
        while checkers.count > 1 {
            let other = checkers.remove(at: Int.random(in: 0..<checkers.count, using: &random))
            checkers[Int.random(in: 0..<checkers.count, using: &random)].merge(other)
        }
        #expect(checkers[0].finish() == whole, sourceLocation: sourceLocation)
    }
    return whole
}

@Test(arguments: 0..<60)
func anySplitOfAHistoryGivesTheSameResult(_ seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed))
    let events = randomHistory(&random)
    for type in CheckerCatalogue.all { _ = law(type, events, &random) }
}

/// The histories above would prove little if every one were judged alike.
@Test func randomHistoriesReachEveryVerdictOfEveryChecker() {
    var seen: [String: Set<Verdict>] = [:]
    for seed in 0..<60 {
        var random = SeededGenerator(seed: UInt64(seed))
        let events = randomHistory(&random)
        for type in CheckerCatalogue.all {
            guard var checker = CheckerCatalogue.make(type.shape.name, parameters(of: type.shape)) else { continue }
            for event in events { checker.observe(event) }
            seen[type.shape.name, default: []].insert(checker.finish().verdict)
        }
    }
    for type in CheckerCatalogue.all { #expect(seen[type.shape.name] == Set(Verdict.allCases), "\(type)") }
}

private func law<C: Checker>(_ type: C.Type, _ events: [Event], _ random: inout SeededGenerator) -> InvariantResult {
    expectMergeLaw(type, events, parameters(of: type.shape), &random)
}

/// None, but for invariants that say nothing without.
private func parameters(of shape: Shape) -> Parameters {
    guard shape.takesThresholds else { return Parameters() }
    let bounds = [
        Threshold(.latency(.operation(kind: nil), quantile: 0.5), .below, 30e6),
        Threshold(.latency(.acquire, quantile: 0.99), .below, 500e6, in: .phase("steady")),
        Threshold(.errors(kind: "append"), .atMost, 0.9),
        Threshold(.throughput(kind: nil), .above, 1, in: .outsideFaults),
    ]
    return Parameters(Dictionary(bounds.map { ($0.measure.name, .thresholds([$0])) }) { $1 })
}

@Test(arguments: 0..<20)
func operationKindsAndRecoveryRecordsMergeToo(_ seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed))
    let events = randomHistory(&random)
    var kinds = (OperationKinds(), OperationKinds(), OperationKinds())
    var meters = (RecoveryMeter(), RecoveryMeter(), RecoveryMeter())
    var isLeft: [Event.Process: Bool] = [:]
    for event in events {
        kinds.0.observe(event)
        meters.0.observe(event)
        let left = isLeft[event.process] ?? Bool.random(using: &random)
        isLeft[event.process] = left
        if left {
            kinds.1.observe(event)
            meters.1.observe(event)
        } else {
            kinds.2.observe(event)
            meters.2.observe(event)
        }
    }
    kinds.2.merge(kinds.1)
    meters.2.merge(meters.1)
    #expect(kinds.2 == kinds.0)
    #expect(meters.2.records() == meters.0.records())
}

/// A run of about thirty seconds in which anything may be missing or wrong.
private func randomHistory(_ random: inout SeededGenerator) -> [Event] {
    func chance(_ probability: Double) -> Bool { random.nextUnit() < probability }
    func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    func moment(_ from: Double, _ to: Double) -> Double { (from + random.nextUnit() * (to - from)) * 1000 }
    var history = HistoryBuilder()
    // A third of the runs is clean, a third only lacks something, in a third anything may be wrong as well.
    let disorder = number(0...2)
    let isClean = disorder < 2
    func missing(_ probability: Double) -> Bool { disorder > 0 && chance(probability) }
    func wrong(_ probability: Double) -> Bool { disorder == 2 && chance(probability) }
    let notes = RandomNotes(disorder: disorder, &random)

    for (name, at) in [("warm-up", 0.0), ("steady", 1), ("faults", 4), ("settle", 12), ("drain", 20), ("end", 22)] {
        if !missing(0.1) { history.phase(name, at: s(at)) }
    }
    if !missing(0.1) {
        history.pool(
            "configured",
            [
                "acquire_timeout_ns": 200_000_000, "statement_timeout_ns": 300_000_000,
                "release_timeout_ns": 100_000_000, "close_timeout_ns": 500_000_000, "retry": "safe",
                "retry_attempts": 3, "retry_budget_ns": 100_000_000, "max_open": 10, "min_idle": 8, "max_waiters": 5,
                "connects_in_flight": 4, "max_lifetime_ns": wrong(0.3) ? 10_000_000_000 : 21_000_000_000,
                "max_lifetime_jitter_ns": 5_000_000_000, "health_check_interval_ns": 1_000_000_000,
                // Of our own pool: its gauges and samples must not be missing then.
                "reset": disorder == 2 ? "rollback" : nil,
            ], at: 0)
    }
    for fault in 0..<number(isClean ? 1...2 : 0...3) {
        let inject = moment(4, 12)
        history.fault(
            fault, chance(0.5) ? "latency" : "restart", inject: inject,
            heal: missing(0.1) ? nil : inject + Double(number(0...2000)), landed: !missing(0.2),
            forced: wrong(0.2),
            evidence: ["round_trip_before_ms": 1, "round_trip_during_ms": wrong(0.5) ? 501.0 : 5.0])
    }
    let outage = 5000.0..<Double(isClean ? 5500 : number(5000...20_000))
    var rows: [JSONValue] = []
    for step in 0..<400 {
        let begin = Double(step) * 50
        let kind: Event.Kind = outage.contains(begin) ? (chance(0.5) ? .fail : .info) : wrong(0.05) ? .fail : .ok
        let id = OperationID(worker: 0, sequence: step)
        let isAppend = step % 2 == 0
        var attempts: [Attempt] = []
        if chance(0.1) {
            attempts = (1...number(2...(isClean ? 3 : 5))).map {
                Attempt(
                    number: $0, outcome: wrong(0.2) ? .info : .fail, delayNanoseconds: Int64(number(0...30_000_000)),
                    insideOpenTransaction: wrong(0.05))
            }
        }
        let latest = isClean ? 200_000_000 : 600_000_000
        let end = begin + Double(number(1...45))
        var completion = Completion(
            attempt: max(1, attempts.count), connection: number(0...9), backendPID: 1,
            acquireNanoseconds: Int64(number(0...(chance(0.05) ? latest : 1_000_000))), queryNanoseconds: 1_000_000,
            attempts: attempts)
        notes.add(to: &completion, step: step, begin: begin, end: end, &random)
        history.operation(
            isAppend ? "append" : "transfer", by: step % 16 + (step / 160) * 100, from: begin,
            to: wrong(0.01) ? nil : end, kind, value: isAppend ? .int(id.rawValue) : .null, completion: completion)
        if isAppend, kind == .ok || kind == .info && chance(0.5) {
            for attempt in 1...(wrong(0.01) ? 2 : 1) where !wrong(0.01) {
                rows.append(.int(id.withAttempt(attempt).rawValue))
            }
        }
        let open = outage.contains(begin) ? 3 : 10
        guard notes.has("gauges") else { continue }
        history.pool(
            "gauges",
            [
                "open": JSONValue(open), "idle": JSONValue(open - 2), "in_use": 2,
                "connecting": JSONValue(wrong(0.002) ? 9 : open == 3 ? number(0...4) : 0),
                "waiting": JSONValue(wrong(0.002) ? 9 : number(0...2)),
            ], at: begin)
    }
    history.addWhatProbesSee(&random, disorder)
    for connection in 0..<10 where !wrong(0.05) {
        var opened: JSONValue = ["conn": JSONValue(connection), "pid": JSONValue(100 + connection)]
        if wrong(0.05) { opened = ["conn": JSONValue(connection), "pid": 100, "age_ns": 3_000_000_000] }
        history.pool("connection-opened", opened, at: 1)
        if wrong(0.1) {
            let report: JSONValue = ["conn": JSONValue(connection), "pid": 1, "site": "a:1", "held_ns": 1_000_000_000]
            history.pool(chance(0.5) ? "leak-suspected" : "leaked", report, at: moment(2, 19))
            if chance(0.5) { history.pool("leak-cleared", ["conn": JSONValue(connection)], at: moment(2, 19)) }
        }
    }
    for _ in 0..<number(0...4) {
        history.probe("stall", ["late_ns": JSONValue(number(1_000_000...900_000_000))], at: moment(1, 20))
    }
    notes.add(to: &history, &random)
    history.probe("accounts", ["accounts": 10, "total": 1000], at: 0.1)
    for part in 0..<3 where !missing(0.1) {
        let ids = rows.enumerated().filter { $0.offset % 3 == part }.map(\.element)
        history.probe(
            "final-appends", ["ids": .array(ids), "part": JSONValue(part), "parts": 3], at: s(21) + Double(part))
    }
    if !missing(0.1) {
        history.probe("final-balances", ["accounts": 10, "total": wrong(0.2) ? 990 : 1000, "negative": 0], at: s(21.5))
    }
    for (at, count) in [("quiesced", 10), ("closed", 0)] where !missing(0.1) {
        let leases: [JSONValue] = wrong(0.2) ? [["conn": 3, "pid": 103, "site": "b:2", "held_ns": 9_000_000_000]] : []
        let open = JSONValue(wrong(0.2) ? count + 1 : count)
        history.probe(
            "books",
            [
                "at": .string(at), "pool": ["open": open, "in_use": JSONValue(leases.count), "idle": open],
                "leases": .array(leases), "client_sockets": JSONValue(count), "server_sessions": JSONValue(count),
                "sessions": [],
            ], at: s(at == "closed" ? 21.9 : 20.5))
    }
    if missing(0.1) {
        history.pool("kept", .null, at: s(21.8))
    } else {
        history.pool("closed", ["took_ns": 1000, "limit_ns": 500_000_000, "leases_cut": 0], at: s(21.8))
    }
    let events = history.build()
    return missing(0.1) ? Array(events.prefix(number(0...200))) : events
}
