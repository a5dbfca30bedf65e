import RigModel

extension HistoryBuilder {
    /// What the rig's probes see in a random run of the law of merging, and what some operations hit there.
    ///
    /// - Parameter disorder: 0: all is well; 1: something may be missing; 2: anything may be wrong as well.
    mutating func addWhatProbesSee(_ random: inout SeededGenerator, _ disorder: Int) {
        func chance(_ probability: Double) -> Bool { random.nextUnit() < probability }
        func missing(_ probability: Double) -> Bool { disorder > 0 && chance(probability) }
        func wrong(_ probability: Double) -> Bool { disorder == 2 && chance(probability) }
        var worker = 19_000
        func fail(_ failureClass: String, _ code: String?, _ connection: Int, at time: Double, leased: Double) {
            worker += 1
            operation(
                "transfer", by: worker, from: time - 10, to: time, .fail,
                completion: Completion(
                    connection: connection,
                    error: FailureDescription(phase: .query, failureClass: failureClass, code: code, message: ""),
                    leasedAt: Int64(leased * 1e6), returnedAt: Int64(time * 1e6)))
        }

        if !missing(0.2) {
            let growth = wrong(0.3)
            let sessions = wrong(0.2) ? 14 : 11
            let surplus = wrong(0.2) ? 3 : 0
            for step in 0..<80 {
                let grown = growth ? step : step % 3
                probe(
                    "sample",
                    [
                        "server_sessions": JSONValue(step == 70 ? sessions : step < 20 ? 10 : 10 + surplus),
                        "client_sockets": 10,
                        "descriptors": JSONValue(40 + grown), "rss_bytes": JSONValue(40_000_000 + grown * 1_000_000),
                    ], at: Double(step) * 250)
            }
        }
        if !missing(0.2) {
            // Two connections are lost near the end, and some come in their place.
            for connection in 20...21 {
                pool("connection-opened", ["conn": JSONValue(connection), "pid": JSONValue(100 + connection)], at: 2)
                pool(
                    "connection-closed",
                    ["conn": JSONValue(connection), "pid": JSONValue(100 + connection), "reason": "lost"], at: s(17.4))
            }
            for connection in 30..<(wrong(0.3) ? 70 : 32) {
                pool(
                    "connection-opened", ["conn": JSONValue(connection), "pid": JSONValue(100 + connection)],
                    at: s(17.5))
            }
            for _ in 0..<(wrong(0.2) ? 300 : 1) { pool("connect-failed", ["code": nil, "message": ""], at: s(17.45)) }
        }
        if !missing(0.2) {
            let doubt = CommitDoubt(
                transactionID: "7", end: wrong(0.5) ? .unknown : .committed, askedNanoseconds: 1_000_000)
            operation(
                "transfer", by: 9000, from: s(18.8), to: s(18.9), .info,
                completion: Completion(attempts: [Attempt(number: 1, outcome: .info, doubt: doubt)]))
        }
        if !missing(0.2) { probe("session-ended", ["pids": [120, 121]], at: s(17.5)) }
        fail("session-ended", "57P01", 20, at: s(19.5), leased: s(wrong(0.3) ? 19.4 : 17.3))
        if !missing(0.3) { fail("timed-out", nil, 4, at: s(19.6), leased: s(19.3)) }
        if !missing(0.2) {
            for step in 0..<(wrong(0.4) ? 6 : 2) {
                fail("server-error", "25006", 3, at: s(18) + Double(step) * 20, leased: s(17.9))
            }
        }
        if !missing(0.2) {
            probe("lone-use-begun", ["quiet_ns": 1_000_000_000], at: s(18.499))
            if wrong(0.2) { probe("lone-use-begun", ["quiet_ns": 1_000_000_000], at: s(18.8)) }
            probe(
                "lone-use", ["quiet_ns": 1_000_000_000, "took_ns": 1_000_000, "outcome": wrong(0.3) ? "fail" : "ok"],
                at: s(18.5))
            probe("all-at-once", ["asked": 10, "got": wrong(0.3) ? 9 : 10, "took_ns": 1_000_000], at: s(19.2))
        }
        if chance(0.3) {
            let orphan: JSONValue = ["pid": 777, "running_ns": 1_000_000_000, "query": "SELECT 1"]
            probe("orphan", orphan, at: s(wrong(0.7) ? 14.1 : 19))
            probe("orphan", orphan, at: s(19.9))
        }
    }
}
