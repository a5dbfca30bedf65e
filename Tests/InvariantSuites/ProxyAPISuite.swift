import Foundation
import RigModel
import RigTestSupport
import Testing
import Threading

/// The control API of the running program, over HTTP: every endpoint and every error of Toxiproxy 2.12.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ProxyAPISuite {
    private func withProxy(_ body: (RunningProxy) async throws -> Void) async throws {
        let proxy = try await RunningProxy()
        try await body(proxy)
        #expect(await proxy.end() == 143)
    }

    private static let pg = #"{"name":"pg","listen":"localhost:0","upstream":"127.0.0.1:1"}"#

    @Test func everyEndpointAnswersAsToxiproxyDoes() async throws {
        try await withProxy { proxy in
            #expect(try await proxy.json("GET", "/proxies") == (200, [:]))

            let created = try await proxy.client.send("POST", "/proxies", Self.pg)
            #expect(created.status == 201 && created.headers["content-type"] == "application/json")
            #expect(created.headers["x-toxiproxy-request-id"]?.count == 20)
            let listen = try #require(try JSONValue(parsing: created.body)["listen"]?.stringValue)
            #expect(listen.hasPrefix("127.0.0.1:") && listen != "127.0.0.1:0")
            let shown =
                #"{"name":"pg","listen":"\#(listen)","upstream":"127.0.0.1:1","enabled":true,"Logger":{},"toxics":[]}"#
            #expect(created.body == shown)
            #expect(try await proxy.client.send("GET", "/proxies/pg").body == shown)
            #expect(try await proxy.client.send("GET", "/proxies").body == #"{"pg":\#(shown)}"#)

            #expect(try await proxy.json("GET", "/proxies/pg/toxics") == (200, []))
            let body = #"{"type":"latency","stream":"upstream","toxicity":0.5,"attributes":{"latency":10}}"#
            let added = try await proxy.client.send("POST", "/proxies/pg/toxics", body)
            let latency =
                #"{"attributes":{"latency":10,"jitter":0},"name":"latency_upstream","type":"latency","stream":"upstream","toxicity":0.5}"#
            #expect(added.status == 200 && added.body == latency)
            #expect(try await proxy.client.send("GET", "/proxies/pg/toxics").body == "[\(latency)]")
            #expect(try await proxy.client.send("GET", "/proxies/pg/toxics/latency_upstream").body == latency)
            for method in ["POST", "PATCH"] {
                let updated = try await proxy.json(
                    method, "/proxies/pg/toxics/latency_upstream", #"{"attributes":{"jitter":2},"toxicity":1}"#)
                #expect(updated.status == 200 && updated.body["toxicity"] == 1)
                #expect(updated.body["attributes"] == ["latency": 10, "jitter": 2])
                let disabled = try await proxy.json(method, "/proxies/pg", #"{"enabled":false}"#)
                #expect(disabled.status == 200 && disabled.body["enabled"] == false)
                let enabled = try await proxy.json(method, "/proxies/pg", #"{"enabled":true}"#)
                #expect(enabled.body["listen"] == .string(listen) && enabled.body["enabled"] == true)
            }
            #expect(try await proxy.json("DELETE", "/proxies/pg/toxics/latency_upstream") == (204, ""))

            _ = try await proxy.json("POST", "/proxies/pg/toxics", #"{"type":"timeout"}"#)
            _ = try await proxy.json("PATCH", "/proxies/pg", #"{"enabled":false}"#)
            #expect(try await proxy.json("POST", "/reset") == (204, ""))
            let reset = try await proxy.json("GET", "/proxies/pg").body
            #expect(reset["enabled"] == true && reset["toxics"] == [])

            let populated = try await proxy.json(
                "POST", "/populate",
                #"[{"name":"pg","listen":"\#(listen)","upstream":"127.0.0.1:1"},{"name":"b","upstream":"127.0.0.1:1"}]"#
            )
            #expect(populated.status == 201)
            #expect(populated.body["proxies"]?.arrayValue?.map { $0["name"] } == ["pg", "b"])

            let version = try await proxy.client.send("GET", "/version")
            #expect(version.status == 200 && version.headers["content-type"] == "application/json;charset=utf-8")
            #expect(version.body.hasPrefix(#"{"version": "2.12.0""#) && version.body.hasSuffix("}\n"))
            let metrics = try await proxy.client.send("GET", "/metrics")
            #expect(metrics.status == 200 && metrics.body.contains("toxiproxy_proxy_received_bytes_total{"))

            #expect(try await proxy.json("GET", "/proxies/pg/connections") == (200, []))
            #expect(try await proxy.json("GET", "/proxies/pg/cuts") == (200, []))
            #expect(try await proxy.json("DELETE", "/proxies/pg") == (204, ""))
            #expect(try await proxy.json("DELETE", "/proxies/pg").status == 404)
        }
    }

    private struct Failure: Sendable {
        let method: String
        let path: String
        var body = ""
        let status: Int
        let error: String
    }

    private static let failures = [
        Failure(method: "POST", path: "/proxies", status: 400, error: "bad request body: EOF"),
        Failure(method: "POST", path: "/proxies", body: "{}", status: 400, error: "missing required field: name"),
        Failure(
            method: "POST", path: "/proxies", body: #"{"name":"a"}"#, status: 400,
            error: "missing required field: upstream"),
        Failure(method: "POST", path: "/proxies", body: pg, status: 409, error: "proxy already exists"),
        Failure(
            method: "POST", path: "/proxies", body: #"{"name":"a","upstream":"b:1","enabled":1}"#, status: 400,
            error: "bad request body: enabled must be true or false, not a number"),
        Failure(
            method: "POST", path: "/proxies", body: #"{"name":"a","upstream":"127.0.0.1:1","listen":"nothing"}"#,
            status: 500, error: "nothing is no address to use: missing port in address"),
        Failure(method: "GET", path: "/proxies/none", status: 404, error: "proxy not found"),
        Failure(method: "POST", path: "/proxies/none", body: "{}", status: 404, error: "proxy not found"),
        Failure(method: "PATCH", path: "/proxies/pg", body: "x", status: 400, error: "bad request body: "),
        Failure(method: "DELETE", path: "/proxies/none", status: 404, error: "proxy not found"),
        Failure(method: "GET", path: "/proxies/none/toxics", status: 404, error: "proxy not found"),
        Failure(method: "POST", path: "/proxies/none/toxics", body: "{}", status: 404, error: "proxy not found"),
        Failure(
            method: "POST", path: "/proxies/pg/toxics", body: #"{"type":"latency","stream":"up"}"#, status: 400,
            error: "stream was invalid, can be either upstream or downstream"),
        Failure(
            method: "POST", path: "/proxies/pg/toxics", body: #"{"type":"down"}"#, status: 400,
            error: "invalid toxic type"),
        Failure(
            method: "POST", path: "/proxies/pg/toxics", body: #"{"type":"latency"}"#, status: 409,
            error: "toxic already exists"),
        Failure(
            method: "POST", path: "/proxies/pg/toxics", body: #"{"type":"slicer","attributes":{"delay":"x"}}"#,
            status: 400, error: "bad request body: delay"),
        Failure(
            method: "POST", path: "/proxies/pg/toxics", body: #"{"type":"bandwidth","attributes":{"rate":-5}}"#,
            status: 400, error: "bad request body: rate"),
        Failure(method: "GET", path: "/proxies/pg/toxics/none", status: 404, error: "toxic not found"),
        Failure(method: "PATCH", path: "/proxies/pg/toxics/none", body: "{}", status: 404, error: "toxic not found"),
        Failure(
            method: "PATCH", path: "/proxies/pg/toxics/latency_downstream", body: "[]", status: 400,
            error: "bad request body: "),
        Failure(method: "DELETE", path: "/proxies/pg/toxics/none", status: 404, error: "toxic not found"),
        Failure(method: "POST", path: "/populate", body: "{}", status: 400, error: "bad request body: "),
        Failure(
            method: "POST", path: "/populate", body: #"[{"upstream":"a:1"}]"#, status: 400,
            error: "missing required field: name at proxy 1"),
        Failure(method: "GET", path: "/proxies/none/connections", status: 404, error: "proxy not found"),
        Failure(method: "DELETE", path: "/proxies/pg/cuts/none", status: 404, error: "cut not found"),
    ]

    @Test func everyErrorHasToxiproxysStatusAndWords() async throws {
        try await withProxy { proxy in
            _ = try await proxy.json("POST", "/proxies", Self.pg)
            _ = try await proxy.json("POST", "/proxies/pg/toxics", #"{"type":"latency"}"#)
            for row in Self.failures {
                let reply = try await proxy.client.send(row.method, row.path, row.body)
                #expect(reply.status == row.status, "\(row)")
                let body = try JSONValue(parsing: reply.body)
                #expect(body["status"] == JSONValue(row.status), "\(row)")
                #expect(body["error"]?.stringValue?.hasPrefix(row.error) == true, "\(row): \(reply.body)")
                if row.path == "/populate" {
                    #expect(body["proxies"] == .null && reply.headers["content-type"] == "application/json")
                } else {
                    #expect(reply.body.hasSuffix("}\n"))
                    #expect(reply.headers["content-type"] == "text/plain; charset=utf-8")
                    #expect(reply.headers["x-content-type-options"] == "nosniff")
                }
            }
            let missing = try await proxy.client.send("GET", "/nowhere")
            #expect(missing.status == 404 && missing.headers["content-type"] == "text/plain; charset=utf-8")
            let method = try await proxy.client.send("PUT", "/proxies", "{}")
            #expect(method.status == 405 && method.body.isEmpty)
            let browser = try await proxy.client.send(
                "GET", "/proxies", headers: [("User-Agent", "Mozilla/5.0 (X11; Linux)")])
            #expect(browser.status == 403 && browser.body == "User agent not allowed\n")
            let escaped = try await proxy.client.send("GET", "/proxies/a%2Fb")
            #expect(escaped.status == 404)
        }
    }

    @Test func portThatIsTakenIsAnErrorAndLeavesNothing() async throws {
        try await withProxy { proxy in
            let taken = proxy.address
            let body = #"{"name":"a","listen":"\#(taken)","upstream":"127.0.0.1:1"}"#
            let reply = try await proxy.json("POST", "/proxies", body)
            #expect(reply.status == 500)
            #expect(reply.body["error"] == .string("cannot listen on \(taken): Address already in use"))
            #expect(try await proxy.json("GET", "/proxies") == (200, [:]))

            _ = try await proxy.json("POST", "/proxies", Self.pg)
            let moved = try await proxy.json("PATCH", "/proxies/pg", #"{"listen":"\#(taken)"}"#)
            #expect(moved.status == 500)
            #expect(try await proxy.json("GET", "/proxies/pg").body["enabled"] == false)
        }
    }

    @Test func trafficIsCountedLoggedAndShown() async throws {
        let server = try EchoServer()
        defer { server.stop() }
        try await withProxy { proxy in
            let created = try await proxy.json(
                "POST", "/proxies", #"{"name":"e","listen":"localhost:0","upstream":"127.0.0.1:\#(server.port)"}"#)
            let listen = try #require(created.body["listen"]?.stringValue)
            let socket = try HTTPClient(listen).open(saying: Array("hello".utf8))
            var answer = [UInt8](repeating: 0, count: 5)
            #expect(recv(socket, &answer, 5, Int32(MSG_WAITALL)) == 5)
            let shown = try await proxy.json("GET", "/proxies/e/connections").body.arrayValue
            #expect(shown?.count == 1)
            #expect(shown?.first?["upstream"] == ["received": 5, "sent": 5])
            // While the connection is open: Toxiproxy would show 0.
            let metrics = try await proxy.client.send("GET", "/metrics").body
            let label =
                #"{direction="downstream",listener="\#(listen)",proxy="e",upstream="127.0.0.1:\#(server.port)"} 5"#
            #expect(metrics.contains("toxiproxy_proxy_sent_bytes_total" + label))
            #expect(metrics.contains(#"chaosrig_proxy_connections_open{proxy="e"} 1"#))
            close(socket)
            let closed = try await proxy.line { $0["msg"] == "connection closed" }
            #expect(closed["proxy"] == "e" && closed["level"] == "info" && closed["reason"] == "client closed")
            #expect(closed["upstream"] == .string("127.0.0.1:\(server.port)"))
            #expect(closed["bytes_upstream"] == 5 && closed["time"]?.stringValue?.hasSuffix("Z") == true)
            let client = closed["client"]?.stringValue ?? ""
            #expect(client.hasPrefix("127.0.0.1:"))
            #expect(proxy.lines.contains { $0["msg"] == "connection opened" && $0["client"] == .string(client) })
        }
    }

    @Test func bodyOfTenMegabytesIsRefusedWithWords() async throws {
        try await withProxy { proxy in
            let before = try Self.residentKilobytes(proxy.pid)
            let reply = try await proxy.client.send(
                "POST", "/populate", body: [UInt8](repeating: UInt8(ascii: " "), count: 10 << 20))
            #expect(reply.status == 413 && reply.body.contains("request body too large"))
            // It was not kept.
            #expect(try Self.residentKilobytes(proxy.pid) - before < 4 << 10)
            #expect(try await proxy.json("GET", "/proxies") == (200, [:]))
        }
    }

    private static func residentKilobytes(_ pid: Int32) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM") })
        return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0.filter(\.isNumber)) })
    }

    @Test func thousandSlowClientsStopNobody() async throws {
        try await withProxy { proxy in
            var sockets: [Int32] = []
            defer { for socket in sockets { close(socket) } }
            // Half of a head, and half of a body.
            let beginnings = [
                "GET /proxies HTTP/1.1\r\nHost:", "POST /proxies HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{",
            ]
            for number in 0..<1000 {
                sockets.append(try proxy.client.open(saying: Array(beginnings[number % 2].utf8)))
            }
            #expect(try await proxy.json("POST", "/proxies", Self.pg).status == 201)
            #expect(try await proxy.json("GET", "/proxies/pg").status == 200)
        }
    }

    @Test func garbageInsteadOfHTTPHarmsNobody() async throws {
        try await withProxy { (proxy) async throws in
            for garbage in [
                "\0\0\0\0\r\n\r\n", "GET\r\n\r\n", String(repeating: "x", count: 100_000), "POST / HTTP/9.9\r\n\r\n",
            ] {
                _ = try? await proxy.client.exchange(Array(garbage.utf8) + Array("\r\n\r\n".utf8), within: .seconds(20))
            }
            #expect(try await proxy.json("GET", "/version").status == 200)
        }
    }

    @Test func spoiledRequestsHaveAnswersAndLeaveTheProgramRunning() async throws {
        let seed = UInt64.random(in: 0..<1 << 32)
        var generator = SeededGenerator(seed: seed)
        // Without addresses: a spoiled one would be looked up in the machine's name service.
        let bodies = [
            #"{"name":"pg","enabled":true}"#, #"[{"name":"a","listen":"127.0.0.1:0","enabled":false}]"#,
            #"{"type":"latency","stream":"upstream","toxicity":0.5,"attributes":{"latency":10}}"#,
            #"{"preset":"lost-commit","times":3}"#,
        ].map { Array($0.utf8) }
        let paths = ["/proxies", "/populate", "/proxies/pg", "/proxies/pg/toxics", "/proxies/pg/cuts"]
        let proxy = try await RunningProxy()
        let end = MonotonicInstant.now.advanced(by: .seconds(3))
        while MonotonicInstant.now < end {
            _ = try await proxy.json("POST", "/proxies", Self.pg)
            for _ in 0..<50 {
                let path = try #require(paths.randomElement(using: &generator))
                let body = Mutation.of(
                    try #require(bodies.randomElement(using: &generator)),
                    with: try #require(bodies.randomElement(using: &generator)), using: &generator)
                let reply = try await proxy.client.send("POST", path, body: body)
                let isKnown = [200, 201, 400, 404, 409, 500].contains(reply.status)
                #expect(isKnown, "seed \(seed): \(path) \(String(decoding: body, as: UTF8.self)): \(reply.status)")
            }
        }
        #expect(await proxy.end() == 143)
    }
}
