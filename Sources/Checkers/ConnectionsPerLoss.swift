package import RigModel

/// After a fault few more connections are opened than were lost.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct ConnectionsPerLoss: Checker {
    package static let shape = Shape(
        name: "connections-per-loss", summary: "after a fault few more connections are opened than were lost",
        parameters: [
            Parameter(
                "ratio", .count, default: .count(2), summary: "connections opened for each that went, at the most"),
            Parameter(
                "slack", .count, default: .count(5), summary: "connections more that may be opened after a fault"),
        ])

    package static let explanation = Explanation(
        claims: """
            The pool replaces what it lost, and not many times over: from each fault that landed to the next one it
            opens at most `ratio` connections for each that went, as many as there was room for within `max_open`, and
            `slack` more.

            A connection went when it was closed after it had been of use: it was open before the fault, an operation
            had used it, its process or its age ended it, or it was lost when it had lived for a second. One that was
            opened and thrown away unused is a loss that the pool made itself, and gives no right to another; nor does
            one that died at once: who tries that again and again would excuse itself. Sessions that ended on the server and that the pool never spoke of count as opened.
            """,
        needs: """
            A fault that landed, and a connection that went after it.
            """,
        cannotSee: """
            Whether what went had to go: a pool that replaces everything when it lost one is not judged here.
            """)

    /// Whatever ends a connection sooner than this would end the next one as soon.
    private static let shortLife: Int64 = 1_000_000_000

    private let ratio: Int
    private let slack: Int
    private var surroundings = Surroundings()
    private var lives = ConnectionLives()
    private var ended: [Int64: FaultTimeline.Moment] = [:]
    private var connectFailures: [Int64] = []

    package init(_ parameters: Parameters) {
        ratio = parameters.count("ratio") ?? 2
        slack = parameters.count("slack") ?? 5
    }

    package mutating func observe(_ event: Event) {
        surroundings.observe(event)
        lives.observe(event)
        if event.process == .probe, event.function == "session-ended" {
            for pid in event.value["pids"]?.arrayValue ?? [] { if let pid = pid.intValue { ended[pid] = event.moment } }
        }
        if event.process == .pool, event.function == "connect-failed" { connectFailures.append(event.time) }
    }

    package mutating func merge(_ other: ConnectionsPerLoss) {
        surroundings.merge(other.surroundings)
        lives.merge(other.lives)
        ended.merge(other.ended) { max($0, $1) }
        connectFailures += other.connectFailures
    }

    /// What happened from one fault to the next.
    private struct Account {
        var injection: FaultTimeline.Injection
        var span: Range<Int64>
        var opened: [ConnectionLives.Life] = []
        var strangers = 0
        var went = 0
        var room = 0

        var openedCount: Int { opened.count + strangers }
    }

    package func finish() -> InvariantResult {
        let accounts = accounts()
        var findings = Findings()
        findings.add(accounts.compactMap(finding))
        let went = accounts.reduce(0) { $0 + $1.went }
        let opened = accounts.reduce(0) { $0 + $1.openedCount }
        let reason: String? =
            accounts.isEmpty ? "no fault landed" : went == 0 ? "no connection was lost after a fault" : nil
        return .judged(
            Self.shape, findings, unless: reason,
            summary: "\(counted(opened, "connection")) opened for \(went) that went, after "
                + counted(accounts.count, "fault"),
            measured: [
                "opened": JSONValue(opened), "went": JSONValue(went),
                "faults": .array(
                    accounts.map {
                        [
                            "fault": .string($0.injection.shortName), "opened": JSONValue($0.openedCount),
                            "strangers": JSONValue($0.strangers), "went": JSONValue($0.went),
                            "room": JSONValue($0.room),
                        ]
                    }),
            ])
    }

    // MARK: Judging

    private func accounts() -> [Account] {
        let injections = surroundings.landed.sorted {
            ($0.inject?.time ?? 0, $0.number) < ($1.inject?.time ?? 0, $1.number)
        }
        let all = lives.opened
        let strangers = strangers(all)
        return injections.enumerated().map { position, injection in
            let begin = injection.inject?.time ?? 0
            let next = position + 1 < injections.count ? injections[position + 1].inject?.time : nil
            var account = Account(injection: injection, span: begin..<max(begin, next ?? surroundings.loadEnd))
            var open = 0
            for life in all {
                guard let opened = life.opened else { continue }
                if account.span.contains(opened.time) { account.opened.append(life) }
                if opened.time < begin && life.isOpen(at: begin) { open += 1 }
                if let closed = life.closed, account.span.contains(closed.time), wasOfUse(life, at: begin) {
                    account.went += 1
                }
            }
            account.room = max(0, Int(surroundings.total("max_open") ?? 0) - open)
            let unknown = strangers.count { account.span.contains($0) }
            account.strangers = max(0, unknown - connectFailures.count { account.span.contains($0) })
            return account
        }
    }

    private func wasOfUse(_ life: ConnectionLives.Life, at begin: Int64) -> Bool {
        if CloseWords.isEndOfPool(life.reason) { return false }
        let opened = life.opened?.time ?? .max
        if life.isUsed || opened < begin { return true }
        if life.reason == "lost" { return (life.closed?.time ?? opened) - opened >= Self.shortLife }
        return ["process-ended", "max-lifetime", "max-idle-time"].contains(life.reason ?? "")
    }

    /// When sessions ended that the pool never named. Only where the server's numbers are the pool's: behind a pooler they are not.
    private func strangers(_ all: [ConnectionLives.Life]) -> [Int64] {
        let known = Set(all.compactMap(\.pid))
        guard ended.keys.contains(where: known.contains) else { return [] }
        return ended.filter { !known.contains($0.key) }.map(\.value.time)
    }

    private func finding(_ account: Account) -> Finding? {
        let limit = ratio * account.went + account.room + slack
        guard account.openedCount > limit else { return nil }
        let unused = account.opened.count { !$0.isUsed }
        let strangers =
            account.strangers > 0 ? ", \(account.strangers) of them never named by the pool" : ""
        return Finding(
            title: "\(counted(account.openedCount, "connection")) opened after \(account.injection.shortName), "
                + "for \(account.went) that went",
            expected: "at most \(limit): \(ratio) for each that went, \(account.room) for which there was room, "
                + "\(slack) more",
            seen: "\(account.openedCount) opened in \((account.span.upperBound - account.span.lowerBound).words), "
                + "\(unused) never used by an operation\(strangers)",
            events: [account.injection.inject?.index].compactMap { $0 }
                + account.opened.prefix(3).compactMap(\.opened?.index),
            time: account.span.lowerBound, activeFault: surroundings.faults.words(at: account.span.lowerBound))
    }
}
