import Foundation
import RigModel
import RigTestSupport
import Testing

/// What requests mean beyond their status: Toxiproxy 2.12's rules for defaults, order, updates, /populate and /reset, on the
/// running program.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ProxyRulesSuite {
    private func withProxy(_ body: (RunningProxy) async throws -> Void) async throws {
        let proxy = try await RunningProxy()
        try await body(proxy)
        #expect(await proxy.end() == 143)
    }

    private static func definition(_ name: String, _ listen: String = "127.0.0.1:0", more: String = "") -> String {
        #"{"name":"\#(name)","listen":"\#(listen)","upstream":"127.0.0.1:1"\#(more)}"#
    }

    /// Waits until the peer has closed or reset the connection; `false` when it has said something, or nothing in time.
    private func hasEnded(_ socket: Int32) -> Bool {
        var byte: UInt8 = 0
        let count = recv(socket, &byte, 1, 0)
        return count == 0 || (count < 0 && errno == ECONNRESET)
    }

    private func create(_ proxy: RunningProxy, _ name: String, more: String = "") async throws -> String {
        let created = try await proxy.json("POST", "/proxies", Self.definition(name, more: more))
        try #require(created.status == 201, "\(created)")
        return try #require(created.body["listen"]?.stringValue)
    }

    @Test func bodiesAreReadAsGoReadsThem() async throws {
        try await withProxy { proxy in
            // Keys in any case, unknown ones, null as if it were missing, and nothing but the first value.
            let loose = #"{"NAME":"a","Upstream":"127.0.0.1:1","colour":[1],"enabled":null,"listen":null} and more"#
            let created = try await proxy.json("POST", "/proxies", loose)
            #expect(created.status == 201 && created.body["name"] == "a" && created.body["enabled"] == true)
            // A missing address is every address, on a port that is free.
            let listen = try #require(created.body["listen"]?.stringValue)
            #expect(listen.hasPrefix("[::]:") || listen.hasPrefix("0.0.0.0:"))
            #expect(!listen.hasSuffix(":0"))
            let disabled = try await proxy.json("POST", "/proxies", Self.definition("b", more: #","enabled":false"#))
            #expect(disabled.body["enabled"] == false && disabled.body["listen"] == "127.0.0.1:0")
            #expect(try await proxy.json("POST", "/populate", "[]") == (201, ["proxies": .null]))
            #expect(try await proxy.json("POST", "/populate", "null") == (201, ["proxies": .null]))
        }
    }

    private struct WrongType: Sendable {
        let method: String
        let path: String
        let body: String
    }

    private static let wrongTypes = [
        WrongType(method: "POST", path: "/proxies", body: "[]"),
        WrongType(method: "POST", path: "/proxies", body: "7"),
        WrongType(method: "POST", path: "/proxies", body: #""name""#),
        WrongType(method: "POST", path: "/proxies", body: #"{"name":"#),
        WrongType(method: "POST", path: "/proxies", body: #"{"name":1,"upstream":"127.0.0.1:1"}"#),
        WrongType(method: "POST", path: "/proxies", body: #"{"name":"x","upstream":["127.0.0.1:1"]}"#),
        WrongType(method: "POST", path: "/proxies", body: #"{"name":"x","upstream":"127.0.0.1:1","listen":1}"#),
        WrongType(method: "POST", path: "/proxies", body: #"{"name":"x","upstream":"127.0.0.1:1","enabled":"yes"}"#),
        WrongType(method: "POST", path: "/proxies", body: #"{"name":"x","upstream":"nowhere"}"#),
        WrongType(method: "PATCH", path: "/proxies/pg", body: ""),
        WrongType(method: "PATCH", path: "/proxies/pg", body: #"{"enabled":1}"#),
        WrongType(method: "PATCH", path: "/proxies/pg", body: #"{"upstream":{}}"#),
        WrongType(method: "PATCH", path: "/proxies/pg", body: #"{"upstream":"nowhere"}"#),
        WrongType(method: "POST", path: "/proxies/pg", body: #"{"listen":false}"#),
        WrongType(method: "POST", path: "/populate", body: ""),
        WrongType(method: "POST", path: "/populate", body: "[1]"),
        WrongType(method: "POST", path: "/populate", body: #"[{"name":"x","upstream":1}]"#),
        WrongType(method: "POST", path: "/proxies/pg/toxics", body: ""),
        WrongType(method: "POST", path: "/proxies/pg/toxics", body: "[]"),
        WrongType(method: "POST", path: "/proxies/pg/toxics", body: #"{"type":5}"#),
        WrongType(method: "POST", path: "/proxies/pg/toxics", body: #"{"type":"noop","name":5}"#),
        WrongType(method: "POST", path: "/proxies/pg/toxics", body: #"{"type":"noop","stream":5}"#),
        WrongType(method: "POST", path: "/proxies/pg/toxics", body: #"{"type":"noop","toxicity":"1"}"#),
        WrongType(method: "POST", path: "/proxies/pg/toxics", body: #"{"type":"noop","toxicity":1.5}"#),
        WrongType(method: "POST", path: "/proxies/pg/toxics", body: #"{"type":"timeout","attributes":[]}"#),
        WrongType(
            method: "POST", path: "/proxies/pg/toxics", body: #"{"type":"timeout","attributes":{"timeout":1.5}}"#),
        WrongType(method: "PATCH", path: "/proxies/pg/toxics/t", body: ""),
        WrongType(method: "PATCH", path: "/proxies/pg/toxics/t", body: #"{"attributes":{"latency":"1"}}"#),
        WrongType(method: "POST", path: "/proxies/pg/toxics/t", body: #"{"toxicity":[]}"#),
    ]

    @Test func wrongTypesAreRefusedAndChangeNothing() async throws {
        try await withProxy { proxy in
            _ = try await create(proxy, "pg")
            _ = try await proxy.json("POST", "/proxies/pg/toxics", #"{"type":"latency","name":"t"}"#)
            let before = try await proxy.client.send("GET", "/proxies").body
            for row in Self.wrongTypes {
                let reply = try await proxy.json(row.method, row.path, row.body)
                #expect(reply.status == 400 && reply.body["status"] == 400, "\(row): \(reply)")
                #expect(reply.body["error"]?.stringValue?.hasPrefix("bad request body: ") == true, "\(row): \(reply)")
            }
            #expect(try await proxy.client.send("GET", "/proxies").body == before)
        }
    }

    @Test func toxicsHaveToxiproxysDefaultsNamesAndOrder() async throws {
        try await withProxy { proxy in
            _ = try await create(proxy, "pg")
            let path = "/proxies/pg/toxics"
            let added = try await proxy.json("POST", path, #"{"type":"latency"}"#)
            let attributes: JSONValue = ["latency": 0, "jitter": 0]
            #expect(
                added == (
                    200,
                    [
                        "attributes": attributes, "name": "latency_downstream", "type": "latency",
                        "stream": "downstream",
                        "toxicity": 1,
                    ]
                ))
            // The stream in any case, and given back as it came.
            let loud = try await proxy.json("POST", path, #"{"type":"noop","stream":"UpStream","toxicity":0}"#)
            #expect(loud.status == 200 && loud.body["stream"] == "UpStream" && loud.body["toxicity"] == 0)
            _ = try await proxy.json("POST", path, #"{"type":"slicer","name":"s"}"#)
            _ = try await proxy.json("POST", path, #"{"type":"slow_close","name":"u","stream":"upstream"}"#)
            let names = try await proxy.json("GET", path).body.arrayValue?.compactMap { $0["name"]?.stringValue }
            #expect(names == ["noop_UpStream", "u", "latency_downstream", "s"])
            // One name for both directions.
            let twice = try await proxy.json("POST", path, #"{"type":"noop","name":"s","stream":"upstream"}"#)
            #expect(twice.status == 409 && twice.body["error"] == "toxic already exists")
            // The order of the checks: stream, type, name, attributes.
            for (body, status, error) in [
                (#"{"type":"x","name":"s","stream":"x"}"#, 400, "stream was invalid"),
                (#"{"type":"x","name":"s"}"#, 400, "invalid toxic type"), ("{}", 400, "invalid toxic type"),
                (#"{"type":"latency","name":"s","attributes":{"latency":"x"}}"#, 409, "toxic already exists"),
            ] {
                let reply = try await proxy.json("POST", path, body)
                #expect(
                    reply.status == status && reply.body["error"]?.stringValue?.hasPrefix(error) == true, "\(reply)")
            }
            for method in ["POST", "PATCH"] {
                let body = #"{"name":"other","type":"noop","stream":"upstream","attributes":{"delay":7}}"#
                let updated = try await proxy.json(method, path + "/s", body)
                #expect(updated.status == 200 && updated.body["name"] == "s" && updated.body["type"] == "slicer")
                #expect(updated.body["stream"] == "downstream")
                #expect(updated.body["attributes"] == ["average_size": 0, "size_variation": 0, "delay": 7])
            }
            let removed = try await proxy.client.send("DELETE", path + "/s")
            #expect(removed.status == 204 && removed.body.isEmpty)
            #expect(try await proxy.json("DELETE", path + "/s").status == 404)
        }
    }

    @Test func everyTypeOfToxiproxyCanBeAddedByItsName() async throws {
        try await withProxy { proxy in
            _ = try await create(proxy, "pg")
            for (type, fields) in [
                ("latency", ["latency", "jitter"]), ("bandwidth", ["rate"]), ("slow_close", ["delay"]),
                ("timeout", ["timeout"]), ("reset_peer", ["timeout"]),
                ("slicer", ["average_size", "size_variation", "delay"]), ("limit_data", ["bytes"]), ("noop", []),
            ] {
                let added = try await proxy.json("POST", "/proxies/pg/toxics", #"{"type":"\#(type)"}"#)
                #expect(added.status == 200, "\(type): \(added)")
                // All fields, zeros included.
                guard case .object(let members)? = added.body["attributes"] else {
                    Issue.record("\(type): \(added)")
                    continue
                }
                #expect(members.map(\.key) == fields && members.allSatisfy { $0.value == 0 })
            }
        }
    }

    @Test func updateOfAnAddressClosesConnectionsAndKeepsToxics() async throws {
        let server = try EchoServer()
        defer { server.stop() }
        try await withProxy { proxy in
            let listen = try await create(proxy, "pg")
            _ = try await proxy.json("POST", "/proxies/pg/toxics", #"{"type":"noop"}"#)
            // The name is ignored, and what is the same changes nothing.
            let same = try await proxy.json("PATCH", "/proxies/pg", #"{"name":"x","listen":"\#(listen)"}"#)
            #expect(same.status == 200 && same.body["name"] == "pg" && same.body["listen"] == .string(listen))
            let other = try await proxy.json("PATCH", "/proxies/pg", #"{"upstream":"127.0.0.1:\#(server.port)"}"#)
            #expect(other.status == 200 && other.body["listen"] == .string(listen))
            #expect(other.body["toxics"]?.arrayValue?.count == 1)
            let socket = try HTTPClient(listen).open(saying: [1])
            defer { close(socket) }
            var byte: UInt8 = 0
            #expect(recv(socket, &byte, 1, 0) == 1)
            // Port 0 is always another one; the connection of before is closed.
            let moved = try await proxy.json("POST", "/proxies/pg", #"{"listen":"127.0.0.1:0"}"#)
            #expect(moved.status == 200 && moved.body["enabled"] == true)
            #expect(moved.body["toxics"]?.arrayValue?.count == 1)
            #expect(hasEnded(socket))
            // The kernel may give the same one again, but hardly ever does.
            if moved.body["listen"] != .string(listen) {
                #expect(throws: HTTPClientError.self) { close(try HTTPClient(listen).open()) }
            }
        }
    }

    @Test func populateKeepsReplacesAndAdds() async throws {
        try await withProxy { proxy in
            let kept = try await create(proxy, "kept")
            let replaced = try await create(proxy, "replaced")
            _ = try await create(proxy, "untouched")
            for name in ["kept", "replaced", "untouched"] {
                _ = try await proxy.json("POST", "/proxies/\(name)/toxics", #"{"type":"noop"}"#)
            }
            _ = try await proxy.json("PATCH", "/proxies/kept", #"{"enabled":false}"#)
            let populated = try await proxy.json(
                "POST", "/populate",
                "[" + Self.definition("kept", kept, more: #","enabled":true"#)
                    + #",{"name":"replaced","listen":"\#(replaced)","upstream":"127.0.0.1:2"},"#
                    + Self.definition("new", more: #","toxics":[{"type":"latency"}]"#) + "]")
            #expect(populated.status == 201 && populated.body["error"] == nil)
            let proxies = try #require(populated.body["proxies"]?.arrayValue)
            #expect(proxies.map { $0["name"] } == ["kept", "replaced", "new"])
            // `enabled` is not applied to one that is kept, and its toxics stay; a replaced one has lost them.
            #expect(proxies.map { $0["enabled"] } == [false, true, true])
            #expect(proxies.map { $0["toxics"]?.arrayValue?.count } == [1, 0, 0])
            #expect(proxies[1]["upstream"] == "127.0.0.1:2" && proxies[1]["listen"] == .string(replaced))
            #expect(try await proxy.json("GET", "/proxies/untouched").body["toxics"]?.arrayValue?.count == 1)
        }
    }

    @Test func populateThatFailsHalfwayTellsWhatItHasDone() async throws {
        try await withProxy { proxy in
            _ = try await create(proxy, "old")
            let taken = proxy.address
            let reply = try await proxy.client.send(
                "POST", "/populate",
                "[" + Self.definition("first") + "," + Self.definition("old", taken) + "," + Self.definition("last")
                    + "]")
            #expect(reply.status == 500 && reply.headers["content-type"] == "application/json")
            let body = try JSONValue(parsing: reply.body)
            #expect(body["status"] == 500)
            #expect(body["error"] == .string("cannot listen on \(taken): Address already in use"))
            #expect(body["proxies"]?.arrayValue?.map { $0["name"] } == ["first"])
            // The one that could not be replaced is listed, and stopped; what came behind it is not there.
            let shown = try await proxy.json("GET", "/proxies").body
            #expect(shown["first"]?["enabled"] == true && shown["old"]?["enabled"] == false && shown["last"] == nil)

            // A mistake in any of them is found before the first is touched.
            for (last, error) in [
                (#"{"name":"x"}"#, "missing required field: upstream at proxy 2"),
                (#"{"upstream":"127.0.0.1:1"}"#, "missing required field: name at proxy 2"),
                (#"{"name":"x","upstream":"y"}"#, "bad request body: upstream at proxy 2: y is no address to use"),
            ] {
                let refused = try await proxy.json("POST", "/populate", "[\(Self.definition("early")),\(last)]")
                #expect(refused.status == 400 && refused.body["proxies"] == .null)
                #expect(refused.body["error"]?.stringValue?.hasPrefix(error) == true, "\(refused)")
            }
            #expect(try await proxy.json("GET", "/proxies/early").status == 404)
        }
    }

    @Test func resetStopsAtTheFirstProxyThatCannotStart() async throws {
        try await withProxy { proxy in
            _ = try await create(proxy, "a", more: #","enabled":false"#)
            _ = try await create(proxy, "c")
            let blocked = try await proxy.json(
                "POST", "/proxies", Self.definition("b", proxy.address, more: #","enabled":false"#))
            #expect(blocked.status == 201)
            for name in ["a", "c"] {
                _ = try await proxy.json("POST", "/proxies/\(name)/toxics", #"{"type":"noop"}"#)
            }
            let failed = try await proxy.json("POST", "/reset", "what is sent does not matter")
            #expect(failed.status == 500 && failed.body["status"] == 500)
            #expect(failed.body["error"] == .string("cannot listen on \(proxy.address): Address already in use"))
            let shown = try await proxy.json("GET", "/proxies").body
            #expect(shown["a"]?["enabled"] == true && shown["a"]?["toxics"] == [])
            #expect(shown["b"]?["enabled"] == false && shown["c"]?["toxics"]?.arrayValue?.count == 1)
            #expect(try await proxy.json("DELETE", "/proxies/b") == (204, ""))
            #expect(try await proxy.json("POST", "/reset") == (204, ""))
            #expect(try await proxy.json("GET", "/proxies/c").body["toxics"] == [])
        }
    }

    @Test func disabledProxyRefusesAndItsConnectionsAreClosed() async throws {
        let server = try EchoServer()
        defer { server.stop() }
        try await withProxy { proxy in
            let listen = try await create(proxy, "pg")
            _ = try await proxy.json("PATCH", "/proxies/pg", #"{"upstream":"127.0.0.1:\#(server.port)"}"#)
            let socket = try HTTPClient(listen).open(saying: [1])
            defer { close(socket) }
            var byte: UInt8 = 0
            #expect(recv(socket, &byte, 1, 0) == 1)
            #expect(try await proxy.json("POST", "/proxies/pg", #"{"enabled":false}"#).status == 200)
            #expect(hasEnded(socket))
            #expect(throws: HTTPClientError.self) { close(try HTTPClient(listen).open()) }
            _ = try await proxy.json("POST", "/proxies/pg", #"{"enabled":true}"#)
            close(try HTTPClient(listen).open())
        }
    }
}
