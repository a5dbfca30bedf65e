package import RigModel

/// What each connection did in the windows around the findings: a fold over the history, with the windows known before.
///
/// Memory grows with the windows and the connections that are open at the same time. Where a window holds more leases than can be
/// told apart, it becomes narrower around its middle.
package struct ConnectionLanes: Sendable {
    /// A window, and what was found in it.
    struct Picture: Sendable {
        var window: LaneWindow
        var lanes: [Int: Lane] = [:]
        var leaseCount = 0

        /// The lanes to show: those that findings name first, then by what happened to them; in the order of their numbers.
        func shown(_ limit: Int) -> [Lane] {
            let ranked = lanes.values.sorted { a, b in
                (a.isNamed ? 0 : 1, -a.events.count, -a.leases.count, a.connection)
                    < (b.isNamed ? 0 : 1, -b.events.count, -b.leases.count, b.connection)
            }
            return ranked.prefix(limit).sorted { $0.connection < $1.connection }
        }
    }

    private struct Known: Sendable {
        var pid: Int?
        var openedAt: Int64
    }

    /// In one window.
    static let leaseLimit = 400
    private static let narrowest: Int64 = 20_000_000

    private(set) var pictures: [Picture]
    private var open: [Int: Known] = [:]
    private var connectionOfPID: [Int: Int] = [:]
    private var pairing = OperationPairing()

    package init(_ windows: [LaneWindow]) { pictures = windows.map { Picture(window: $0) } }

    package mutating func observe(_ event: Event) {
        guard !pictures.isEmpty else { return }
        switch event.process {
        case .worker:
            guard let ended = pairing.observe(event), case .worker(let worker) = event.process else { return }
            note(ended, worker: worker)
        case .pool: observePool(event)
        case .probe where event.function == "session-ended":
            for pid in event.value["pids"]?.arrayValue?.compactMap(\.intValue) ?? [] {
                guard let connection = connectionOfPID[Int(pid)] else { continue }
                mark(connection, event, .sessionEnded, "the server has its session no more")
            }
        case .probe, .nemesis: break
        }
    }

    private mutating func observePool(_ event: Event) {
        guard let connection = event.value["conn"]?.intValue.map({ Int($0) }) else { return }
        let pid = event.value["pid"]?.intValue.map { Int($0) }
        switch event.function {
        case "connection-opened":
            open[connection] = Known(pid: pid, openedAt: event.time)
            if let pid { connectionOfPID[pid] = connection }
            let took = event.value["took_ns"]?.intValue.map { " in \(TimeText.words(nanoseconds: $0))" } ?? ""
            mark(connection, event, .opened, "opened\(took)")
        case "connection-closed":
            let reason = event.value["reason"]?.stringValue ?? "no reason given"
            mark(connection, event, LaneEvent.isLoss(reason) ? .lost : .retired, "closed: \(reason)")
            close(connection, at: event.time)
        case "leak-suspected", "leaked":
            let site = event.value["site"]?.stringValue.map { ", borrowed at \($0)" } ?? ""
            let kind: LaneEvent.Kind = event.function == "leaked" ? .leaked : .leakSuspected
            mark(connection, event, kind, (kind == .leaked ? "leaked" : "leak suspected") + site)
        default: break
        }
    }

    /// Connections that were open in a window though nothing happened to them there; to be called after the last event.
    package mutating func finish() {
        for connection in open.keys { close(connection, at: nil) }
    }

    private mutating func close(_ connection: Int, at time: Int64?) {
        guard let known = open.removeValue(forKey: connection) else { return }
        if let pid = known.pid, connectionOfPID[pid] == connection { connectionOfPID[pid] = nil }
        for index in pictures.indices {
            let span = pictures[index].window.span
            guard known.openedAt < span.upperBound, time ?? .max >= span.lowerBound else { continue }
            pictures[index].change(connection) { lane in
                lane.pid = known.pid
                lane.begin = known.openedAt
                lane.openedAt = span.contains(known.openedAt) ? known.openedAt : nil
                lane.closedAt = time.flatMap { span.contains($0) ? $0 : nil }
            }
        }
    }

    private mutating func mark(_ connection: Int, _ event: Event, _ kind: LaneEvent.Kind, _ detail: String) {
        for index in pictures.indices where pictures[index].window.span.contains(event.time) {
            let isNamed = pictures[index].window.events.contains(event.index)
            pictures[index].change(connection) { lane in
                lane.events.append(LaneEvent(time: event.time, kind: kind, detail: detail))
                if kind == .opened { lane.begin = event.time }
                if isNamed { lane.isNamed = true }
            }
        }
    }

    private mutating func note(_ ended: OperationPairing.Ended, worker: Int) {
        guard let completion = ended.event.completion else { return }
        for attempt in completion.attempts.dropLast() {
            guard let connection = attempt.connection, let leasedAt = attempt.leasedAt else { continue }
            let why = attempt.error.map { ": \($0.failureClass)" } ?? ""
            var event = ended.event
            event.time = leasedAt
            mark(
                connection, event, .failedAttempt,
                "attempt \(attempt.number) of \(ended.event.function), worker \(worker), \(attempt.outcome.rawValue)\(why)"
            )
        }
        guard let connection = completion.connection else { return }
        // Where an adapter does not tell the lease, the operation stands for it.
        let begin = completion.leasedAt ?? ended.begun.time + (completion.acquireNanoseconds ?? 0)
        let keeps = completion.leasedAt != nil && completion.returnedAt == nil
        let lease = LaneLease(
            begin: begin, end: keeps ? nil : completion.returnedAt ?? ended.event.time, function: ended.event.function,
            outcome: ended.event.kind, worker: worker, event: ended.event.index,
            error: completion.error.map { "\($0.code.map { "\($0) " } ?? "")\($0.failureClass): \($0.message)" })
        for index in pictures.indices {
            pictures[index].add(lease, of: connection, narrowest: Self.narrowest, limit: Self.leaseLimit)
        }
    }
}

extension ConnectionLanes.Picture {
    fileprivate mutating func change(_ connection: Int, _ body: (inout Lane) -> Void) {
        body(&lanes[connection, default: Lane(connection: connection)])
    }

    fileprivate mutating func add(_ lease: LaneLease, of connection: Int, narrowest: Int64, limit: Int) {
        guard lease.begin < window.span.upperBound, lease.end ?? .max >= window.span.lowerBound else { return }
        let isNamed = window.events.contains(lease.event)
        change(connection) { lane in
            lane.leases.append(lease)
            if isNamed { lane.isNamed = true }
        }
        leaseCount += 1
        while leaseCount > limit, window.reach > narrowest { narrow() }
    }

    private mutating func narrow() {
        window.narrow()
        let span = window.span
        leaseCount = 0
        for (connection, lane) in lanes {
            var lane = lane
            lane.leases.removeAll { $0.begin >= span.upperBound || $0.end ?? .max < span.lowerBound }
            lane.events.removeAll { !span.contains($0.time) }
            lane.openedAt = lane.openedAt.flatMap { span.contains($0) ? $0 : nil }
            let closedBefore = lane.closedAt.map { $0 < span.lowerBound } ?? false
            lane.closedAt = lane.closedAt.flatMap { span.contains($0) ? $0 : nil }
            let isOpenedAfter = lane.begin ?? .min >= span.upperBound && lane.leases.isEmpty && lane.events.isEmpty
            leaseCount += lane.leases.count
            lanes[connection] = closedBefore || isOpenedAfter ? nil : lane
        }
    }
}
