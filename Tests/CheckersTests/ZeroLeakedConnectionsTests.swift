import Checkers
import RigModel
import Testing

private func books(
    _ at: String, open: Int = 0, inUse: Int = 0, leases: [JSONValue] = [], sockets: Int? = 0, sessions: Int? = 0,
    list: [JSONValue] = []
) -> JSONValue {
    [
        "at": .string(at),
        "pool": ["open": JSONValue(open), "in_use": JSONValue(inUse), "idle": JSONValue(open - inUse)],
        "leases": .array(leases), "client_sockets": JSONValue(sockets), "server_sessions": JSONValue(sessions),
        "sessions": .array(list),
    ]
}

private func lease(_ connection: Int, held milliseconds: Int) -> JSONValue {
    [
        "conn": JSONValue(connection), "pid": JSONValue(8000 + connection), "site": "App.swift:12",
        "held_ns": JSONValue(milliseconds * 1_000_000),
    ]
}

private func opened(_ connection: Int) -> JSONValue {
    ["conn": JSONValue(connection), "pid": JSONValue(8000 + connection), "took_ns": 1000]
}

private func run(
    quiet: JSONValue? = books("quiesced", open: 1, sockets: 1, sessions: 1), closed: JSONValue? = books("closed"),
    _ more: (inout HistoryBuilder) -> Void = { _ in }
) -> InvariantResult {
    judge(
        ZeroLeakedConnections.self,
        HistoryBuilder.history { history in
            history.pool("connection-opened", opened(3), at: 1)
            history.operation("read", by: 1, from: 10, to: 20, completion: Completion(connection: 3, backendPID: 8003))
            more(&history)
            if let quiet { history.probe("books", quiet, at: s(20)) }
            if let closed { history.probe("books", closed, at: s(21)) }
        })
}

@Test func cleanRunHasNoLeak() {
    let result = run()
    #expect(result.verdict == .valid)
    #expect(result.findings.isEmpty)
    #expect(
        result.summary == "1 connection opened, all given back; quiet: pool open 1, in use 0; leases out 0; "
            + "client sockets 1; server sessions 1; nothing left after the close")
    #expect(result.measured["opened"] == 1)
}

@Test func leaseThatIsStillOutNamesItsBorrowerItsSiteAndTheFaultOfThatTime() {
    let out = books("quiesced", open: 1, inUse: 1, leases: [lease(3, held: 12_000)], sockets: 1, sessions: 1)
    let result = run(quiet: out) { history in
        history.fault(0, inject: s(7), heal: s(9))
        history.operation(
            "leak", by: 7, from: s(8) - 1, to: s(8) + 1, completion: Completion(connection: 3, backendPID: 8003))
    }
    #expect(result.verdict == .invalid)
    #expect(
        result.findings == [
            Finding(
                title: "Connection 3 was borrowed and never given back",
                expected: "no lease is out when no operation is running",
                seen: "out when the run was quiet, held for 12 s (pid 8003, borrowed at App.swift:12); "
                    + "opened at 1 ms, named by 2 operations; borrowed by `leak` of worker 7, which ended in ok at 8 s",
                events: [0, 5, 6, 8], time: 8_000_000_000, activeFault: "restart #0 (immediate, down for 2 s)",
                site: "App.swift:12")
        ])
    #expect(result.summary.hasPrefix("1 lease not given back; 1 connection opened"))
}

@Test func leaseThatIsOutBeforeAndAfterTheCloseIsOneFinding() {
    let result = run(
        quiet: books("quiesced", open: 1, inUse: 1, leases: [lease(3, held: 50)], sockets: 1, sessions: 1),
        closed: books("closed", leases: [lease(3, held: 1050)]))
    #expect(result.findings.count == 1)
    #expect(result.findings.first?.seen.hasPrefix("out when the run was quiet and after the pool was closed") == true)
    #expect(result.findings.first?.activeFault == "none")
}

@Test func leaseThatDiedUnreleasedIsAFindingAlsoWhenTheBooksAreClean() {
    let result = run { history in
        history.fault(0, inject: 100, heal: 100)
        history.pool("leaked", ["conn": 3, "pid": 8003, "site": "App.swift:40"], at: s(1.3))
    }
    #expect(result.verdict == .invalid)
    #expect(result.findings.map(\.title) == ["A lease on connection 3 died without being released"])
    #expect(result.findings.first?.site == "App.swift:40")
    #expect(result.findings.first?.activeFault == "none (restart #0 healed 1.2 s before)")
}

@Test func suspicionCountsUnlessItWasTakenBack() {
    let report: JSONValue = ["conn": 3, "pid": 8003, "site": "App.swift:7", "held_ns": 500_000_000]
    let open = run { $0.pool("leak-suspected", report, at: s(2)) }
    #expect(open.verdict == .invalid)
    #expect(
        open.findings.map(\.title) == ["Connection 3 was held past the leak threshold and never seen again"])
    let cleared = run { history in
        history.pool("leak-suspected", report, at: s(2))
        history.pool("leak-cleared", ["conn": 3], at: s(3))
    }
    #expect(cleared.verdict == .valid)
    let again = run { history in
        history.pool("leak-suspected", report, at: s(2))
        history.pool("leak-cleared", ["conn": 3], at: s(3))
        history.pool("leak-suspected", report, at: s(4))
    }
    #expect(again.verdict == .invalid)
}

@Test(
    arguments: [
        (2, 1, 1, "The pool counts 1 connection without a socket"),
        (1, 3, 3, "2 sockets open that the pool does not count"),
        (1, 1, 2, "The server keeps 1 session without a socket in this process"),
        (1, 1, 0, "1 socket open without a session on the server"),
        (3, nil, 1, "The pool counts 2 connections that the server does not know"),
        (1, nil, 2, "The server has 1 session that the pool does not count"),
    ] as [(Int, Int?, Int?, String)])
func differenceOfTheBooksNamesTheLayerThatLeaks(_ open: Int, _ sockets: Int?, _ sessions: Int?, _ title: String) {
    let result = run(quiet: books("quiesced", open: open, sockets: sockets, sessions: sessions))
    #expect(result.verdict == .invalid)
    #expect(result.findings.map(\.title) == [title])
}

@Test func countOfThePoolThatNoLeaseExplainsIsAFinding() {
    let result = run(quiet: books("quiesced", open: 1, inUse: 1, sockets: 1, sessions: 1))
    #expect(result.findings.map(\.title) == ["The pool counts 1 in use, but 0 leases out"])
}

@Test func embeddedDatabaseIsJudgedByThePoolAlone() {
    let result = run(
        quiet: books("quiesced", open: 1, sockets: nil, sessions: nil),
        closed: books("closed", sockets: nil, sessions: nil))
    #expect(result.verdict == .valid)
}

@Test func orphanIsNamedWhileQuietAndIsAFindingOnlyAfterTheClose() {
    let own: JSONValue = ["pid": 8003, "state": "idle", "query": "select 1"]
    let orphan: JSONValue = ["pid": 7777, "state": "active", "query": "select pg_sleep(60)"]
    let quiet = books("quiesced", open: 1, sockets: 1, sessions: 2, list: [own, orphan])
    let gone = run(quiet: quiet)
    #expect(gone.verdict == .valid)
    #expect(gone.summary.contains("and 1 orphan still ran a statement for a lost client"))
    #expect(gone.measured["orphans"] == 1)

    let stays = run(quiet: quiet, closed: books("closed", sessions: 1, list: [orphan]))
    #expect(stays.verdict == .invalid)
    #expect(stays.findings.map(\.title) == ["1 server session left after the pool was closed"])
    #expect(stays.findings.first?.seen.contains("pid 7777 active, orphan: select pg_sleep(60)") == true)
}

@Test func sessionOfThePoolThatIsActiveIsNoOrphan() {
    let own: JSONValue = ["pid": 8003, "state": "active", "query": "select 1"]
    let result = run(quiet: books("quiesced", open: 1, sockets: 1, sessions: 1, list: [own]))
    #expect(result.verdict == .valid)
    #expect(result.measured["orphans"] == 0)
}

@Test func whatIsLeftAfterTheCloseIsAFinding() {
    let result = run(closed: books("closed", open: 1, sockets: 2, sessions: 1))
    #expect(
        result.findings.map(\.title) == [
            "The closed pool still counts 1 open connection", "2 client sockets left after the pool was closed",
            "1 server session left after the pool was closed",
        ])
}

@Test func withoutBooksOrConnectionsThereIsNothingToJudge() {
    #expect(run(closed: nil).summary == "not judged: the books were not taken after the pool was closed")
    #expect(run(quiet: nil).verdict == .unknown)
    let never = judge(
        ZeroLeakedConnections.self,
        HistoryBuilder.history { history in
            history.probe("books", books("quiesced"), at: 1)
            history.probe("books", books("closed"), at: 2)
        })
    #expect(never.verdict == .unknown)
    #expect(never.summary == "not judged: no connection was ever opened")
    // A violation that was already seen outweighs what is missing.
    #expect(run(quiet: nil, closed: books("closed", sockets: 1)).verdict == .invalid)
}

@Test func borrowerThatNeverBeganToGiveBackIsNamedAsSuch() {
    let out = books("quiesced", open: 1, inUse: 1, leases: [lease(3, held: 11_000)], sockets: 1, sessions: 1)
    let result = run(quiet: out) { history in
        history.fault(0, inject: s(7), heal: s(8.5))
        // The books were written half a second after the pool was asked for how long the lease was held.
        history.operation(
            "read", by: 7, from: s(8), to: s(8.2),
            completion: Completion(connection: 3, backendPID: 8003, leasedAt: 8_100_000_000))
    }
    #expect(result.findings.first?.seen.contains("borrowed by `read` of worker 7") == true)
    #expect(result.findings.first?.time == 8_100_000_000)
    #expect(result.findings.first?.activeFault.hasPrefix("restart #0") == true)
}
