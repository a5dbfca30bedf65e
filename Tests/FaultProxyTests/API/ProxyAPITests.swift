import HTTPService
import RigModel
import Testing

@testable import FaultProxy

@Suite struct ProxyAPITests {
    private let network = FakeNetwork()
    private let api: ProxyAPI

    init() { api = ProxyAPI(network.makeSet(), version: "9.9.9", seed: 7) }

    private func send(_ method: String, _ path: String, _ body: String = "", agent: String = "") -> HTTPResponse {
        api.answer(HTTPRequest(method: method, path: path, userAgent: agent, body: Array(body.utf8)))
    }

    private func text(_ response: HTTPResponse) -> String { String(decoding: response.body, as: UTF8.self) }

    private func createProxy() throws {
        try #require(
            send("POST", "/proxies", #"{"name":"pg","listen":"localhost:0","upstream":"db:5432"}"#).status == 201)
    }

    @Test func successIsCompactJSONWithoutLineFeed() throws {
        let created = send("POST", "/proxies", #"{"name":"pg","listen":"localhost:0","upstream":"db:5432"}"#)
        #expect(created.status == 201 && created.header("Content-Type") == "application/json")
        #expect(
            text(created)
                == #"{"name":"pg","listen":"127.0.0.1:20001","upstream":"db:5432","enabled":true,"Logger":{},"toxics":[]}"#
        )
        #expect(text(send("GET", "/proxies")) == #"{"pg":"# + text(created) + "}")
        #expect(created.header("X-Toxiproxy-Request-Id")?.count == 20)
    }

    @Test func errorIsTextWithALineFeedAndTheStatusInside() {
        let response = send("GET", "/proxies/none")
        #expect(response.status == 404)
        #expect(text(response) == "{\"error\":\"proxy not found\",\"status\":404}\n")
        #expect(response.header("Content-Type") == "text/plain; charset=utf-8")
        #expect(response.header("X-Content-Type-Options") == "nosniff")
    }

    @Test("Words as long as a body are refused without a comparison with every name", .timeLimit(.minutes(5)))
    func longWordsAreRefusedAtOnce() throws {
        try createProxy()
        let word = String(repeating: "latency", count: ProxyAPI.bodyLimit / 7 - 20)
        for path in ["toxics", "cuts"] {
            for key in ["type", "message", "action", word] {
                let body = #"{"\#(key)":"\#(key == word ? "x" : word)","attributes":{}}"#
                #expect(send("POST", "/proxies/pg/\(path)", body).status == 400)
            }
        }
        #expect(send("POST", "/proxies/pg/toxics", #"{"type":"latncy"}"#).status == 400)
    }

    private struct Unrouted: Sendable, CustomTestStringConvertible {
        let method: String
        let path: String
        let status: Int
        var testDescription: String { "\(method) \(path)" }
    }

    private static let unrouted = [
        Unrouted(method: "GET", path: "/", status: 404), Unrouted(method: "GET", path: "", status: 404),
        Unrouted(method: "GET", path: "/proxies/", status: 404),
        Unrouted(method: "GET", path: "/proxies/a/b", status: 404),
        Unrouted(method: "GET", path: "/proxies/a/toxics/b/c", status: 404),
        Unrouted(method: "GET", path: "/reset", status: 405), Unrouted(method: "GET", path: "/populate", status: 405),
        Unrouted(method: "HEAD", path: "/proxies", status: 405),
        Unrouted(method: "PATCH", path: "/proxies", status: 405),
        Unrouted(method: "POST", path: "/version", status: 405),
        Unrouted(method: "PUT", path: "/proxies/a", status: 405),
        Unrouted(method: "DELETE", path: "/proxies/a/toxics", status: 405),
        Unrouted(method: "PUT", path: "/proxies/a/toxics/b", status: 405),
    ]

    @Test("Paths and methods that are not known have no JSON and no request id", arguments: unrouted)
    private func unknownRoute(_ row: Unrouted) {
        let response = send(row.method, row.path, agent: "Mozilla/5.0")
        #expect(response.status == row.status)
        #expect(text(response) == (row.status == 404 ? "404 page not found\n" : ""))
        #expect(response.header("X-Toxiproxy-Request-Id") == nil)
    }

    @Test func browsersAreRefused() {
        let response = send("GET", "/proxies", agent: "Mozilla/5.0 (X11)")
        #expect(response.status == 403 && text(response) == "User agent not allowed\n")
        #expect(send("GET", "/proxies", agent: "NotMozilla/5.0").status == 200)
    }

    private struct Refusal: Sendable, CustomTestStringConvertible {
        let path: String
        let body: String
        let status: Int
        let error: String
        var testDescription: String { "\(path) \(body)" }
    }

    private static let refusals = [
        Refusal(path: "/proxies", body: "", status: 400, error: "bad request body: EOF"),
        Refusal(path: "/proxies", body: " \n", status: 400, error: "bad request body: EOF"),
        Refusal(path: "/proxies", body: "{", status: 400, error: "bad request body: not JSON at byte 1"),
        Refusal(path: "/proxies", body: "[]", status: 400, error: "bad request body: the body must be an object"),
        Refusal(path: "/proxies", body: "{}", status: 400, error: "missing required field: name"),
        Refusal(path: "/proxies", body: "null", status: 400, error: "missing required field: name"),
        Refusal(path: "/proxies", body: #"{"name":"a"}"#, status: 400, error: "missing required field: upstream"),
        Refusal(
            path: "/proxies", body: #"{"name":1}"#, status: 400,
            error: "bad request body: name must be a string, not a number"),
        Refusal(
            path: "/proxies", body: #"{"name":"a","upstream":"b:1","enabled":"yes"}"#, status: 400,
            error: "bad request body: enabled must be true or false, not a string"),
        Refusal(
            path: "/proxies", body: #"{"name":"pg","upstream":"b:1"}"#, status: 409, error: "proxy already exists"),
        Refusal(path: "/proxies", body: #"{"name":"a","listen":"x","upstream":"b:1"}"#, status: 500, error: "x is no"),
        Refusal(
            path: "/proxies", body: #"{"name":"a","listen":"127.0.0.1:20001","upstream":"b:1"}"#, status: 500,
            error: "cannot listen on 127.0.0.1:20001: Address already in use"),
        Refusal(path: "/proxies/none", body: "{", status: 404, error: "proxy not found"),
        Refusal(path: "/proxies/pg", body: "", status: 400, error: "bad request body: EOF"),
        Refusal(path: "/proxies/pg", body: #"{"listen":1}"#, status: 400, error: "bad request body: listen must be"),
        Refusal(path: "/proxies/none/toxics", body: "{", status: 404, error: "proxy not found"),
        Refusal(path: "/proxies/pg/toxics", body: "{", status: 400, error: "bad request body: "),
        Refusal(
            path: "/proxies/pg/toxics", body: #"{"type":"nothing","stream":"sideways"}"#, status: 400,
            error: "stream was invalid, can be either upstream or downstream"),
        Refusal(
            path: "/proxies/pg/toxics", body: #"{"type":"latencyy","name":"slow"}"#, status: 400,
            error: "invalid toxic type"),
        Refusal(path: "/proxies/pg/toxics", body: "{}", status: 400, error: "invalid toxic type"),
        Refusal(
            path: "/proxies/pg/toxics", body: #"{"type":"latency","name":"slow","attributes":7}"#, status: 409,
            error: "toxic already exists"),
        Refusal(
            path: "/proxies/pg/toxics", body: #"{"type":"latency","attributes":7}"#, status: 400,
            error: "bad request body: attributes"),
        Refusal(
            path: "/proxies/pg/toxics", body: #"{"type":"latency","attributes":{"latency":"5"}}"#, status: 400,
            error: "bad request body: latency"),
        Refusal(
            path: "/proxies/pg/toxics", body: #"{"type":"bandwidth","attributes":{"rate":-1}}"#, status: 400,
            error: "bad request body: rate"),
        Refusal(
            path: "/proxies/pg/toxics", body: #"{"type":"latency","toxicity":1.5}"#, status: 400,
            error: "bad request body: toxicity must be from 0 to 1, not 1.5"),
        Refusal(path: "/proxies/pg/toxics/none", body: "{", status: 404, error: "toxic not found"),
        Refusal(path: "/proxies/pg/toxics/slow", body: "", status: 400, error: "bad request body: EOF"),
        Refusal(
            path: "/proxies/pg/toxics/slow", body: #"{"attributes":{"latency":true}}"#, status: 400,
            error: "bad request body: latency"),
    ]

    @Test("Bad bodies are refused in Toxiproxy's order, and nothing changes", arguments: refusals)
    private func badBodyIsRefused(_ row: Refusal) throws {
        try createProxy()
        try #require(send("POST", "/proxies/pg/toxics", #"{"type":"latency","name":"slow"}"#).status == 200)
        let before = text(send("GET", "/proxies"))
        let response = send("POST", row.path, row.body)
        #expect(response.status == row.status)
        let error = try JSONValue(parsing: text(response))
        #expect(error["status"] == JSONValue(row.status))
        #expect(error["error"]?.stringValue?.hasPrefix(row.error) == true, "\(error)")
        #expect(text(send("GET", "/proxies")) == before)
    }

    @Test func unknownTypeComesWithTheOneThatWasMeant() throws {
        try createProxy()
        let error = try JSONValue(parsing: text(send("POST", "/proxies/pg/toxics", #"{"type":"latencyy"}"#)))
        #expect(error["hint"] == #"did you mean "latency"?"#)
    }

    @Test func onlyTheFirstValueOfABodyIsRead() throws {
        let response = send("POST", "/proxies", #"{"name":"pg","upstream":"db:1","listen":"a:1"} and more"#)
        #expect(response.status == 201)
    }

    @Test func keysMatchInAnyCaseAndUnknownAndNullOnesAreNothing() throws {
        let body = #"{"NAME":"pg","Upstream":"db:1","LISTEN":"a:1","enabled":null,"toxics":[{"x":1}],"Enabled":null}"#
        let response = send("POST", "/proxies", body)
        #expect(response.status == 201 && text(response).contains(#""enabled":true"#))
    }

    @Test func lastOfSeveralKeysCounts() throws {
        let body = #"{"name":"a","NAME":"pg","name":null,"upstream":"db:1","listen":"a:1"}"#
        #expect(text(send("POST", "/proxies", body)).hasPrefix(#"{"name":"pg""#))
    }

    @Test func toxicHasToxiproxysFieldsInItsOrder() throws {
        try createProxy()
        let added = send("POST", "/proxies/pg/toxics", #"{"type":"latency","attributes":{"LATENCY":5},"toxicity":0.1}"#)
        #expect(added.status == 200)
        let json =
            #"{"attributes":{"latency":5,"jitter":0},"name":"latency_downstream","type":"latency","stream":"downstream","toxicity":0.1}"#
        #expect(text(added) == json)
        #expect(text(send("GET", "/proxies/pg/toxics")) == "[\(json)]")
        #expect(text(send("GET", "/proxies/pg/toxics/latency_downstream")) == json)
        #expect(text(send("GET", "/proxies/pg")).hasSuffix(#""toxics":[\#(json)]}"#))
    }

    @Test func streamIsTakenInAnyCaseAndGivenBackAsItCame() throws {
        try createProxy()
        let added = try JSONValue(
            parsing: text(send("POST", "/proxies/pg/toxics", #"{"type":"noop","stream":"UpStream"}"#)))
        #expect(added["stream"] == "UpStream" && added["name"] == "noop_UpStream" && added["toxicity"] == 1)
        #expect(network.relay("pg")?.toxics.map(\.stream) == [.upstream])
    }

    @Test("Updates merge, whatever the method", arguments: ["POST", "PATCH"])
    func updatesMerge(_ method: String) throws {
        try createProxy()
        _ = send("POST", "/proxies/pg/toxics", #"{"type":"latency","attributes":{"latency":5,"jitter":3}}"#)
        let path = "/proxies/pg/toxics/latency_downstream"
        let body = #"{"attributes":{"jitter":4,"latency":null},"name":"x","type":"slicer","stream":"upstream"}"#
        let updated = try JSONValue(parsing: text(send(method, path, body)))
        #expect(updated["attributes"] == ["latency": 5, "jitter": 4] && updated["name"] == "latency_downstream")
        #expect(updated["type"] == "latency" && updated["stream"] == "downstream")
        let share = try JSONValue(parsing: text(send(method, path, #"{"toxicity":0.25}"#)))
        #expect(share["toxicity"] == 0.25 && share["attributes"] == ["latency": 5, "jitter": 4])
        let proxy = try JSONValue(parsing: text(send(method, "/proxies/pg", #"{"enabled":false,"name":"x"}"#)))
        #expect(proxy["enabled"] == false && proxy["name"] == "pg" && proxy["upstream"] == "db:5432")
    }

    @Test func deletesAnswerWithNothing() throws {
        try createProxy()
        _ = send("POST", "/proxies/pg/toxics", #"{"type":"noop"}"#)
        for path in ["/proxies/pg/toxics/noop_downstream", "/proxies/pg"] {
            let response = send("DELETE", path)
            #expect(response.status == 204 && response.body.isEmpty)
            #expect(send("DELETE", path).status == 404)
        }
    }

    @Test func populateTellsWhatItTook() throws {
        #expect(text(send("POST", "/populate", "[]")) == #"{"proxies":null}"#)
        #expect(send("POST", "/populate", "null").status == 201)
        let bad = send("POST", "/populate", #"[{"name":"a","upstream":"b:1"},{"name":"c"}]"#)
        #expect(bad.status == 400 && bad.header("Content-Type") == "application/json")
        #expect(
            text(bad) == #"{"error":"missing required field: upstream at proxy 2","status":400,"proxies":null}"#)
        let wrong = try JSONValue(parsing: text(send("POST", "/populate", #"{"name":"a"}"#)))
        #expect(wrong["status"] == 400 && wrong["proxies"] == .null)
        let good = send("POST", "/populate", #"[{"name":"a","listen":"x:1","upstream":"b:1","enabled":null}]"#)
        #expect(good.status == 201)
        #expect(try JSONValue(parsing: text(good))["proxies"]?.arrayValue?.first?["enabled"] == true)
        network.occupy("taken:1")
        let partly = #"[{"name":"b","listen":"b:1","upstream":"b:1"},{"name":"c","listen":"taken:1","upstream":"b:1"}]"#
        let failed = send("POST", "/populate", partly)
        #expect(failed.status == 500)
        #expect(try JSONValue(parsing: text(failed))["proxies"]?.arrayValue?.map { $0["name"] } == ["b"])
    }

    @Test func versionIsToxiproxysWithOursBeside() throws {
        let response = send("GET", "/version")
        #expect(text(response) == "{\"version\": \"2.12.0\", \"chaosrig\": \"9.9.9\"}\n")
        #expect(response.header("Content-Type") == "application/json;charset=utf-8")
    }

    @Test func tooLargeBodyIsRefusedWithTheLimit() {
        let response = api.answer(HTTPRequest(method: "POST", path: "/proxies", isBodyTooLarge: true))
        #expect(response.status == 413)
        #expect(text(response).contains("1048576"))
    }

    @Test func metricsAreLiveAndEscaped() throws {
        try createProxy()
        _ = send("POST", "/proxies/pg/toxics", #"{"type":"latency","name":"a\"b"}"#)
        var statistics = RelayStatistics()
        statistics.upstreamReceived = 7
        statistics.downstreamSent = 9
        let relay = try #require(network.relay("pg"))
        relay.set(statistics)
        relay.tally.note(.closed(number: 0, reason: .clientReset, bytesUpstream: 1, bytesDownstream: 1))
        relay.toxics[0].record.add {
            $0.swallowedBytes = 5
            $0.holds.add(nanoseconds: 1_000_000)
        }
        let response = send("GET", "/metrics")
        #expect(response.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
        let labels = #"listener="127.0.0.1:20001",proxy="pg",upstream="db:5432"}"#
        let lines = Set(text(response).split(separator: "\n").map(String.init))
        for line in [
            #"toxiproxy_proxy_received_bytes_total{direction="upstream","# + labels + " 7",
            #"toxiproxy_proxy_sent_bytes_total{direction="downstream","# + labels + " 9",
            "# TYPE toxiproxy_proxy_sent_bytes_total counter",
            #"chaosrig_proxy_connections_closed_total{proxy="pg",reason="client_reset"} 1"#,
            #"chaosrig_proxy_toxic_swallowed_bytes_total{proxy="pg",stream="downstream",toxic="a\"b"} 5"#,
            #"chaosrig_proxy_toxic_holds_total{proxy="pg",stream="downstream",toxic="a\"b"} 1"#,
        ] {
            #expect(lines.contains(line), "\(line)")
        }
    }

    @Test func labelsAreEscapedWhateverStandsBesideWhatIsEscaped() throws {
        try createProxy()
        let body = #"{"type":"noop","name":"a\r\nb\"\u0301c\\\u0301"}"#
        try #require(send("POST", "/proxies/pg/toxics", body).status == 200)
        let lines = text(send("GET", "/metrics")).unicodeScalars.split(separator: "\n").map { String($0) }
        let label = #"toxic="a\#r\nb\"\#u{301}c\\\#u{301}"} 0"#
        #expect(
            lines.contains {
                $0.utf8.elementsEqual(
                    "chaosrig_proxy_toxic_refused_total{proxy=\"pg\",stream=\"downstream\",\(label)".utf8)
            }, "\(lines)")
    }

    @Test func namesAreTheirBytes() throws {
        try createProxy()
        let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}")
        for name in [composed, decomposed] {
            #expect(send("POST", "/proxies", #"{"name":"\#(name)","upstream":"db:1"}"#).status == 201)
            #expect(send("POST", "/proxies/pg/toxics", #"{"type":"noop","name":"\#(name)"}"#).status == 200)
            let cut = #"{"preset":"lost-commit","name":"\#(name)"}"#
            #expect(send("POST", "/proxies/pg/cuts", cut).status == 200)
        }
        for path in ["/proxies/", "/proxies/pg/toxics/", "/proxies/pg/cuts/"] {
            #expect(send("DELETE", path + composed).status == 204)
            #expect(send("GET", path + composed).status == 404)
            let left = try JSONValue(parsing: send("GET", path + decomposed).body)["name"]?.stringValue
            #expect(left.map { Array($0.utf8) } == Array(decomposed.utf8))
        }
        // A slash is one whatever follows it.
        #expect(send("POST", "/proxies", #"{"name":"\u0301","upstream":"db:1"}"#).status == 201)
        #expect(send("GET", "/proxies/\u{301}").status == 200)
    }

    @Test func requestIDsDiffer() {
        let ids = (0..<100).compactMap { _ in send("GET", "/version").header("X-Toxiproxy-Request-Id") }
        #expect(Set(ids).count == 100)
    }
}
