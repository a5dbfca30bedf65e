import Glibc
import HTTPService
import RigModel
import RigTestSupport
import Testing
import Threading

@testable import FaultProxy

/// Spoiled bodies on every endpoint that takes one, for a bounded time: an answer that is one, always; and a set of proxies
/// that is consistent afterwards.
///
/// `CHAOSRIG_FUZZ_SECONDS` sets the time, and `CHAOSRIG_FUZZ_SEED` repeats a run.
@Suite struct APIFuzzTests {
    private static let bodies = [
        #"{"name":"pg","listen":"localhost:0","upstream":"db:5432","enabled":true}"#,
        #"[{"name":"a","listen":"localhost:0","upstream":"db:1"},{"name":"b","upstream":"db:2","enabled":false}]"#,
        #"{"type":"latency","name":"slow","stream":"upstream","toxicity":0.5,"attributes":{"latency":10,"jitter":5}}"#,
        #"{"type":"slicer","attributes":{"average_size":64,"size_variation":32,"delay":10}}"#,
        #"{"type":"bandwidth","toxicity":1.0,"attributes":{"rate":100}}"#,
        #"{"attributes":{"latency":1},"toxicity":0}"#, #"{"enabled":false,"upstream":"other:1"}"#,
        #"{"name":"c","at":"before","message":"Query","statement":"^update .*","share":0.1,"action":"error","sqlstate":"40001"}"#,
        #"{"preset":"lost-commit","times":3}"#,
    ].map { Array($0.utf8) }

    private static let targets = [
        ("POST", "/proxies"), ("POST", "/populate"), ("POST", "/proxies/pg"), ("PATCH", "/proxies/pg"),
        ("POST", "/proxies/pg/toxics"), ("POST", "/proxies/pg/toxics/slow"), ("PATCH", "/proxies/pg/toxics/slow"),
        ("POST", "/proxies/pg/cuts"),
    ]

    private static func number(_ name: String) -> UInt64? { getenv(name).flatMap { UInt64(String(cString: $0)) } }

    @Test func spoiledBodiesAlwaysHaveAValidAnswer() throws {
        let seed = Self.number("CHAOSRIG_FUZZ_SEED") ?? UInt64.random(in: 0..<1 << 32)
        var generator = SeededGenerator(seed: seed)
        let end = MonotonicInstant.now.advanced(by: .seconds(Int64(Self.number("CHAOSRIG_FUZZ_SECONDS") ?? 3)))
        let network = FakeNetwork()
        let set = network.makeSet()
        let api = ProxyAPI(set, version: "1", seed: 1)
        func send(_ method: String, _ path: String, _ body: [UInt8] = []) -> HTTPResponse {
            api.answer(HTTPRequest(method: method, path: path, body: body))
        }
        var statuses: [Int: Int] = [:]
        // Where it should have been: bodies that were taken, and each kind of refusal.
        let wanted = [200, 201, 400, 409]
        func hasSeenAll() -> Bool { wanted.allSatisfy { statuses[$0] != nil } }
        // On a slow machine the time may be over before chance has been everywhere.
        let latest = end.advanced(by: .seconds(120))
        while MonotonicInstant.now < end || !hasSeenAll() && MonotonicInstant.now < latest {
            // What the targets name must be there, or nothing of their bodies is read.
            _ = send("POST", "/proxies", Self.bodies[0])
            _ = send("POST", "/proxies/pg/toxics", Self.bodies[2])
            for _ in 0..<200 {
                let (method, path) = Self.targets.randomElement(using: &generator) ?? ("POST", "/proxies")
                let body = Mutation.of(
                    Self.bodies.randomElement(using: &generator) ?? [],
                    with: Self.bodies.randomElement(using: &generator) ?? [], using: &generator)
                let response = send(method, path, body)
                statuses[response.status, default: 0] += 1
                let input = String(decoding: body, as: UTF8.self)
                let isKnown = [200, 201, 400, 404, 409, 500].contains(response.status)
                #expect(isKnown, "seed \(seed): \(method) \(path) \(input): \(response.status)")
                let json = try JSONValue(parsingFirstOf: response.body)
                if response.status >= 400 {
                    #expect(json["status"] == JSONValue(response.status), "seed \(seed): \(method) \(path) \(input)")
                }
            }
            // Everything that was taken can be shown, and read again.
            let shown = try JSONValue(parsing: send("GET", "/proxies").body)
            guard case .object(let proxies) = shown else {
                Issue.record("seed \(seed): no object")
                return
            }
            for proxy in proxies {
                #expect(proxy.value["toxics"]?.arrayValue?.allSatisfy { $0["type"]?.stringValue != nil } == true)
                try? set.delete(proxy.key)
            }
            #expect(set.proxies.isEmpty && network.relays.allSatisfy { !$0.isRunning }, "seed \(seed)")
        }
        #expect(hasSeenAll(), "seed \(seed): \(statuses)")
    }
}
