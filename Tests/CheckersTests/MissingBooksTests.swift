import Checkers
import RigModel
import Testing

// A run with our own pool tells its gauges, its samples and its books. Where they are missing nothing is valid.

/// A load of 20 s on one connection, lost in a restart from 5 s to 6 s.
private func history(
    own: Bool, without missing: String = "", pool: JSONValue = ["open": 1, "in_use": 0], leases: JSONValue = [],
    at moment: String? = nil
) -> [Event] {
    HistoryBuilder.history { history in
        for (name, at) in [("warm-up", 0.0), ("steady", 1), ("faults", 4), ("settle", 8), ("drain", 20), ("end", 22)] {
            history.phase(name, at: s(at))
        }
        var limits: [JSONValue.Member] = [.init("max_open", 1), .init("connects_in_flight", 1)]
        if own { limits.append(.init("reset", "rollback")) }
        history.pool("configured", .object(limits), at: 0)
        history.pool("connection-opened", ["conn": 1, "pid": 11], at: 1)
        history.fault(0, inject: s(5), heal: s(6))
        history.pool("connection-closed", ["conn": 1, "pid": 11, "reason": "lost"], at: s(5.1))
        history.pool("connection-opened", ["conn": 2, "pid": 12], at: s(6.1))
        for number in 0..<200 where !(50..<60).contains(number) {
            let at = Double(number) * 100
            history.operation(
                "read", by: number, from: at, to: at + 10,
                completion: Completion(connection: number < 50 ? 1 : 2, backendPID: number < 50 ? 11 : 12))
        }
        for number in 0..<80 {
            let at = Double(number) * 250
            let open = JSONValue((s(5)..<s(6.1)).contains(at) ? 0 : 1)
            if missing != "gauges" {
                history.pool("gauges", ["open": open, "idle": 0, "connecting": 0, "waiting": 0], at: at)
            }
            if missing != "samples" {
                history.probe("sample", ["server_sessions": open, "client_sockets": open], at: at)
            }
        }
        for (name, count, at) in [("quiesced", 1, 20.5), ("closed", 0, 21.5)] {
            let isThis = name == moment
            history.probe(
                "books",
                [
                    "at": .string(name), "pool": isThis ? pool : ["open": JSONValue(count), "in_use": 0],
                    "leases": isThis ? leases : [], "client_sockets": JSONValue(count),
                    "server_sessions": JSONValue(count),
                ], at: s(at))
        }
    }
}

private func results(_ events: [Event]) -> [InvariantResult] {
    [
        judge(ZeroLeakedConnections.self, events), judge(MaxOpenConnections.self, events),
        judge(Recovery.self, events), judge(ConnectStorm.self, events),
    ]
}

@Test func allThereIsValidOfAnyPool() {
    for own in [true, false] {
        for result in results(history(own: own)) {
            #expect(result.verdict == .valid, "\(result.name): \(result.summary)")
        }
    }
}

@Test func ourOwnPoolWithoutGaugesIsUnknown() {
    for result in results(history(own: true, without: "gauges")) {
        #expect(result.verdict == .unknown, "\(result.name)")
        #expect(result.summary.hasSuffix("the history has no gauges of the pool"), "\(result.summary)")
    }
    for result in results(history(own: false, without: "gauges")) {
        #expect(result.verdict == .valid, "\(result.name): \(result.summary)")
    }
}

@Test func ourOwnPoolWithoutSamplesIsUnknown() {
    let without = results(history(own: true, without: "samples"))
    #expect(without.map(\.verdict) == [.unknown, .unknown, .valid, .valid])
    #expect(without[0].summary == "not judged: the history has no samples")
    #expect(results(history(own: false, without: "samples")).allSatisfy { $0.verdict == .valid })
}

@Test(arguments: ["quiesced", "closed"])
func ourOwnPoolWithoutABookIsUnknown(_ moment: String) {
    func summary(own: Bool, pool: JSONValue, leases: JSONValue) -> String {
        judge(ZeroLeakedConnections.self, history(own: own, pool: pool, leases: leases, at: moment)).summary
    }
    let when = moment == "closed" ? "after the close" : "when the run was quiet"
    let count: JSONValue = ["open": moment == "closed" ? 0 : 1, "in_use": 0]
    #expect(
        summary(own: true, pool: nil, leases: [])
            == "not judged: the pool's connections could not be counted \(when)")
    #expect(
        summary(own: true, pool: count, leases: nil) == "not judged: the pool's leases could not be counted \(when)")
    #expect(summary(own: false, pool: nil, leases: nil).hasPrefix("2 connections opened, all given back"))
}
