package import RigModel

/// Nothing is still borrowed when the run is quiet, the three books agree, and nothing is left after the pool was closed.
///
/// Judges `probe/books` at `quiesced` (no operation in flight) and at `closed`, and what the pool itself reported. A
/// difference between two books names the layer that leaks. A server session that still runs a statement although its
/// client is gone (PostgreSQL notices a lost client only when it next speaks to it) is an *orphan*: it is named when the
/// run is quiet, and is a finding only when it outlives the pool. During the run the server must not have more sessions than the
/// pool has connections for longer than five seconds, beside those that are just ending and the time of faults; behind a pooler
/// that is not judged. Where the pool lives on after the history (a window of a soak) only the quiet end is judged.
///
/// Unknown where a book could not be taken, or lacks what could be counted before.
package struct ZeroLeakedConnections: Checker {
    package static let shape = Shape(
        name: "zero-leaked-connections",
        summary: "every borrowed connection comes back; pool, sockets and server agree; nothing is left after close")

    package static let explanation = Explanation(
        claims: """
            What was borrowed comes back. When the run is quiet no lease is out; the pool's count, the client sockets
            and the server's sessions agree, and a difference names the layer that leaks; after the close nothing is
            left of any of them. While the run goes on the server has no more sessions than the pool has connections
            for longer than five seconds, beside those that are just ending and the time of faults; not judged behind
            a pooler. What the pool itself reports counts too: leases that died unreleased, and leases held
            past the leak threshold and never seen again. A session that still runs a statement for a client that is
            gone is an *orphan*: named when the run is quiet, a finding only when it outlives the pool (see
            `no-orphans`).
            """,
        needs: """
            The books of the quiet run and those after the close, with all that could be counted before; and one
            connection that was opened. Of our own pool also its gauges, samples, and in each book its connections and
            leases.
            """,
        cannotSee: """
            What was lost and found again before the run was quiet; sessions of a file (SQLite has no third book).
            """)

    private var surroundings = Surroundings()
    private var surplus = SessionSurplus()
    private var seen = BooksSeen()
    private var sight = OwnPoolSight()
    private var connections = ConnectionLog()
    private var quiesced: Books?
    private var closed: Books?
    /// The pool lives on after the history.
    private var isKept = false

    package init(_ parameters: Parameters) {}

    package mutating func observe(_ event: Event) {
        surroundings.observe(event)
        surplus.observe(event)
        seen.observe(event)
        sight.observe(event)
        connections.observe(event)
        if event.process == .pool, event.function == "kept" { isKept = true }
        guard let books = Books(event) else { return }
        if books.at == "quiesced" { quiesced = Self.later(quiesced, books) }
        if books.at == "closed" { closed = Self.later(closed, books) }
    }

    package mutating func merge(_ other: ZeroLeakedConnections) {
        surroundings.merge(other.surroundings)
        surplus.merge(other.surplus)
        seen.merge(other.seen)
        sight.merge(other.sight)
        connections.merge(other.connections)
        quiesced = Self.later(quiesced, other.quiesced)
        closed = Self.later(closed, other.closed)
        isKept = isKept || other.isKept
    }

    package func finish() -> InvariantResult {
        var findings = Findings()
        let leases = heldLeases
        findings.add(leases.map(finding(forLease:)))
        let reported = Set(leases.map(\.lease.connection))
        let died = connections.leaked.elements.filter { !reported.contains($0.connection) }
        let hidden = connections.leaked.total - connections.leaked.elements.count
        findings.add(died.map(finding(forDead:)), total: died.count + hidden)
        let known = reported.union(died.map(\.connection))
        findings.add(
            connections.openSuspicions.filter { !known.contains($0.connection) }.map(finding(forSuspicion:)))
        findings.add(surplus.spans(surroundings).map(finding(forSurplus:)))
        findings.add(quiesced.map { quietFindings($0) } ?? [])
        findings.add(closed.map { leftoverFindings($0) } ?? [])

        let reason = nothingToJudge
        let verdict: Verdict = findings.isEmpty ? (reason == nil ? .valid : .unknown) : .invalid
        return InvariantResult(
            name: Self.shape.name, verdict: verdict,
            summary: summary(findings, leases.count + died.count + hidden, reason),
            findings: findings.selection, measured: measured(leasesOut: leases.count))
    }

    private var faults: FaultWindows { surroundings.faults }

    // MARK: Judging

    /// A lease that a book shows, with the books that show it.
    private struct HeldLease {
        var lease: Books.Lease
        var books: [Books]
    }

    /// One per connection, in the order of their numbers.
    private var heldLeases: [HeldLease] {
        var held: [Int64: HeldLease] = [:]
        for books in [quiesced, closed].compactMap({ $0 }) {
            for lease in books.leases ?? [] {
                held[lease.connection, default: HeldLease(lease: lease, books: [])].books.append(books)
            }
        }
        return held.values.sorted { $0.lease.connection < $1.lease.connection }
    }

    private var nothingToJudge: String? {
        guard let quiesced else { return "the books were never taken while the run was quiet" }
        if closed == nil, !isKept { return "the books were not taken after the pool was closed" }
        if connections.openedCount == 0 { return "no connection was ever opened" }
        if !quiesced.saysSomething || closed?.saysSomething == false { return "nothing could be counted" }
        if let missing = seen.missing(in: quiesced) { return "\(missing) could not be counted when the run was quiet" }
        if let closed, let missing = seen.missing(in: closed) {
            return "\(missing) could not be counted after the close"
        }
        return sight.withoutGauges ?? sight.withoutSamples
    }

    private func finding(forLease held: HeldLease) -> Finding {
        let lease = held.lease
        let borrowed =
            connections.lastUse(of: lease.connection)?.keptSince
            ?? lease.heldNanoseconds.map { held.books[0].time - $0 }
        let when = held.books.map { $0.at == "closed" ? "after the pool was closed" : "when the run was quiet" }
        let reports = connections.leaked.elements.filter { $0.connection == lease.connection }.map(\.index)
        return Finding(
            title: "Connection \(lease.connection) was borrowed and never given back",
            expected: "no lease is out when no operation is running",
            seen: "out \(when.joined(separator: " and ")), held for "
                + "\(lease.heldNanoseconds?.words ?? "a time that nobody told") (\(place(lease.pid, lease.site))); "
                + life(of: lease.connection, borrowedAt: borrowed),
            events: lifeEvents(of: lease.connection) + reports + held.books.map(\.index), time: borrowed,
            activeFault: borrowed.map { faults.words(at: $0) } ?? "unknown: nobody told when it was borrowed",
            site: lease.site)
    }

    private func finding(forDead report: ConnectionLog.Report) -> Finding {
        Finding(
            title: "A lease on connection \(report.connection) died without being released",
            expected: "every lease is released by its borrower",
            seen: "the pool found it dropped (\(place(report.pid, report.site))); \(life(of: report.connection))",
            events: lifeEvents(of: report.connection) + [report.index], time: report.time,
            activeFault: faults.words(at: report.time), site: report.site)
    }

    private func finding(forSuspicion report: ConnectionLog.Report) -> Finding {
        let borrowed = report.time - report.heldNanoseconds
        return Finding(
            title: "Connection \(report.connection) was held past the leak threshold and never seen again",
            expected: "a lease that is held too long is given back later",
            seen: "held for \(TimeText.words(nanoseconds: report.heldNanoseconds)) when it was reported "
                + "(\(place(report.pid, report.site))), not taken back since; "
                + life(of: report.connection, borrowedAt: borrowed),
            events: lifeEvents(of: report.connection) + [report.index], time: borrowed,
            activeFault: faults.words(at: borrowed), site: report.site)
    }

    private func finding(forSurplus span: SessionSurplus.Span) -> Finding {
        Finding(
            title:
                "The server had \(counted(span.sessions - span.connections, "session")) more than the pool had connections",
            expected: "as many sessions as connections, and such as were closed within "
                + "\(SessionSurplus.grace.words) before",
            seen: "\(counted(span.sessions, "session")), but \(counted(span.connections, "connection")) open or being "
                + "opened, for \((span.to - span.from).words): the driver or the pool dropped connections without "
                + "closing them",
            events: span.first == span.last ? [span.first] : [span.first, span.last], time: span.from,
            activeFault: faults.words(from: span.from, to: span.to))
    }

    private func quietFindings(_ books: Books) -> [Finding] {
        books.differences(orphans: orphans(in: books).count).map { difference in
            finding(in: books, title: difference.title, expected: difference.expected, layer: difference.layer)
        }
    }

    private func leftoverFindings(_ books: Books) -> [Finding] {
        var findings: [Finding] = []
        func add(_ count: Int64?, _ title: (Int64) -> String, _ layer: String) {
            guard let count, count != 0 else { return }
            findings.append(finding(in: books, title: title(count), expected: "0 after the close", layer: layer))
        }
        add(books.pool?.open, { "The closed pool still counts \(counted($0, "open connection"))" }, "the pool")
        add(books.pool?.inUse, { "The closed pool still counts \($0) in use" }, "the pool")
        add(
            books.clientSockets, { "\(counted($0, "client socket")) left after the pool was closed" },
            "the driver or the pool dropped connections without closing them")
        add(
            books.serverSessions, { "\(counted($0, "server session")) left after the pool was closed" },
            "the server still serves a client that is gone" + sessionWords(books))
        return findings
    }

    private func sessionWords(_ books: Books) -> String {
        let orphaned = Set(orphans(in: books).compactMap(\.pid))
        let words = books.sessions.prefix(5).map { session in
            let isOrphan = session.pid.map(orphaned.contains) ?? false
            let query = session.query.isEmpty ? "" : ": \(session.query.prefix(80))"
            return
                "pid \(session.pid.map(String.init) ?? "unknown") \(session.state)\(isOrphan ? ", orphan" : "")\(query)"
        }
        return words.isEmpty ? "" : " (\(words.joined(separator: "; ")))"
    }

    private func finding(in books: Books, title: String, expected: String, layer: String) -> Finding {
        let forgotten = forgotten(in: books)
        let first = forgotten.map(\.since).min()
        let lives = forgotten.prefix(3).map(\.words)
        return Finding(
            title: title, expected: expected,
            seen: (["\(books.words): \(layer)"] + lives).joined(separator: "; "),
            events: forgotten.prefix(3).flatMap(\.events) + [books.index], time: first ?? books.time,
            activeFault: faults.words(at: first ?? books.time))
    }

    /// Sessions of the server that were connections of the pool, and are no more: their lives.
    private func forgotten(in books: Books) -> [(words: String, events: [Int], since: Int64)] {
        let own = connections.pids(openAt: books.index)
        let orphaned = books.at == "closed" ? [] : Set(orphans(in: books).compactMap(\.pid))
        return books.sessions.compactMap { session in
            guard let pid = session.pid, !own.contains(pid), !orphaned.contains(pid),
                let connection = connections.connection(ofPID: pid), let closing = connections.closing(of: connection)
            else { return nil }
            return (
                "pid \(pid) was connection \(connection), closed as \(closing.reason) at \(closing.at.time.words), "
                    + life(of: connection),
                lifeEvents(of: connection) + [closing.at.index], closing.at.time
            )
        }
    }

    /// Sessions that run a statement for nobody: the pool has no connection to them. Where the pool tells no pids they
    /// cannot be told from its own.
    private func orphans(in books: Books) -> [Books.Session] {
        let own = connections.pids(openAt: books.index)
        let knowsPids = books.at == "closed" || !own.isEmpty || books.pool?.open == 0
        guard knowsPids else { return [] }
        return books.sessions.filter { session in
            session.state == "active" && session.pid.map { !own.contains($0) } ?? false
        }
    }

    // MARK: Words

    private func place(_ pid: Int64?, _ site: String?) -> String {
        "pid \(pid.map(String.init) ?? "unknown"), borrowed at \(site ?? "an unknown place")"
    }

    /// Since when the connection was there, how often it was used, and by whom last: by the borrower, where that operation ended.
    private func life(of connection: Int64, borrowedAt: Int64? = nil) -> String {
        let birth =
            connections.opening(of: connection).map {
                $0.time < 0 ? "opened before this history began, " : "opened at \($0.time.words), "
            } ?? ""
        guard let use = connections.lastUse(of: connection) else { return birth + "no operation that ended names it" }
        let isBorrower =
            use.keptSince != nil
            || borrowedAt.map { use.beginTime - Self.clockError <= $0 && $0 <= use.endTime } ?? false
        return birth + "named by \(counted(connections.uses(of: connection), "operation")); "
            + "\(isBorrower ? "borrowed" : "last used") by `\(use.function)` of \(use.process.words), "
            + "which ended in \(use.outcome) at \(use.endTime.words)"
    }

    /// For how long a lease was held is asked a moment before it is written down.
    private static let clockError: Int64 = 10_000_000

    private func lifeEvents(of connection: Int64) -> [Int] {
        let use = connections.lastUse(of: connection).map { [$0.beginIndex, $0.endIndex] } ?? []
        return (connections.opening(of: connection).map { [$0.index] } ?? []) + use
    }

    private func summary(_ findings: Findings, _ leaks: Int, _ reason: String?) -> String {
        let opened = counted(connections.openedCount, "connection") + " opened"
        if !findings.isEmpty {
            let head = leaks > 0 ? "\(counted(leaks, "lease")) not given back" : counted(findings.total, "finding")
            return "\(head); \(opened); quiet: \(quiesced?.words ?? "not counted"); "
                + "closed: \(closed?.words ?? "not counted")\(findings.remark)"
        }
        if let reason { return "not judged: \(reason)" }
        let orphanCount = quiesced.map { orphans(in: $0).count } ?? 0
        let orphanWords =
            orphanCount == 0 ? "" : ", and \(counted(orphanCount, "orphan")) still ran a statement for a lost client"
        return "\(opened), all given back; quiet: \(quiesced?.words ?? "")\(orphanWords); "
            + (closed == nil ? "the pool lives on" : "nothing left after the close")
    }

    private func measured(leasesOut: Int) -> JSONValue {
        [
            "opened": JSONValue(connections.openedCount), "closed": JSONValue(connections.closedCount),
            "leases_out": JSONValue(leasesOut), "leases_died": JSONValue(connections.leaked.total),
            "suspected": JSONValue(connections.openSuspicions.count),
            "orphans": JSONValue(quiesced.map { orphans(in: $0).count } ?? 0),
            "quiesced": quiesced?.measured ?? .null, "after_close": closed?.measured ?? .null,
        ]
    }

    /// The one that was taken last counts.
    private static func later(_ a: Books?, _ b: Books?) -> Books? {
        guard let a, let b else { return a ?? b }
        return a.index >= b.index ? a : b
    }
}
