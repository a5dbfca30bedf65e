import Foundation
import RigModel
import RigTestSupport
import Testing

/// The ways in which HTTP clients send what they have to say, to the running program.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ProxyHTTPSuite {
    private func withProxy(_ body: (RunningProxy) async throws -> Void) async throws {
        let proxy = try await RunningProxy()
        try await body(proxy)
        #expect(await proxy.end() == 143)
    }

    private static let body = #"{"name":"pg","listen":"127.0.0.1:0","upstream":"127.0.0.1:1"}"#

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func methodsThatAPathDoesNotHaveAreRefusedWithoutABody() async throws {
        try await withProxy { proxy in
            _ = try await proxy.json("POST", "/proxies", Self.body)
            for (path, methods) in [
                ("/proxies", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"]), ("/populate", ["GET", "HEAD", "PUT"]),
                ("/reset", ["GET", "OPTIONS", "DELETE"]), ("/version", ["POST", "HEAD", "OPTIONS"]),
                ("/proxies/pg", ["HEAD", "OPTIONS", "PUT"]), ("/proxies/pg/toxics", ["HEAD", "DELETE", "PATCH"]),
                ("/proxies/pg/toxics/none", ["HEAD", "OPTIONS", "PUT"]),
            ] {
                for method in methods {
                    let request = "\(method) \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                    let answer = Self.text(try await proxy.client.exchange(Array(request.utf8)))
                    #expect(
                        answer.hasPrefix("HTTP/1.1 405 ") && answer.hasSuffix("\r\n\r\n"),
                        "\(method) \(path): \(answer)")
                    #expect(!answer.lowercased().contains("x-toxiproxy-request-id"))
                }
            }
            let missing = try await proxy.client.send("OPTIONS", "/nowhere")
            #expect(missing.status == 404)
            #expect(try await proxy.json("GET", "/proxies/pg").body["enabled"] == true)
        }
    }

    @Test func escapesInAPathAreUndoneAndANULIsNoEndOfIt() async throws {
        try await withProxy { proxy in
            let named = #"{"name":"p g\u00e9%","listen":"127.0.0.1:0","upstream":"127.0.0.1:1"}"#
            _ = try await proxy.json("POST", "/proxies", Self.body)
            #expect(try await proxy.json("POST", "/proxies", named).status == 201)
            #expect(try await proxy.json("GET", "/proxies/p%20g%C3%A9%25?x=%00").status == 200)
            for path in ["/proxies/pg%00", "/proxies/pg%00/toxics", "/proxies%00/pg", "/%00"] {
                for method in ["GET", "DELETE"] {
                    let reply = try await proxy.client.send(method, path)
                    #expect(reply.status == 404 && reply.body == "404 page not found\n", "\(method) \(path): \(reply)")
                }
            }
            #expect(try await proxy.json("GET", "/proxies/pg").status == 200)
        }
    }

    @Test func bodyInChunksIsPutTogether() async throws {
        try await withProxy { proxy in
            var request =
                "POST /proxies HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
            for byte in Self.body { request += "1;a=b\r\n\(byte)\r\n" }
            let answer = Self.text(try await proxy.client.exchange(Array((request + "0\r\n\r\n").utf8)))
            #expect(answer.hasPrefix("HTTP/1.1 201 "), "\(answer)")
            let broken = request + "zz\r\n"
            let refused = Self.text(try await proxy.client.exchange(Array(broken.utf8)))
            #expect(refused.hasPrefix("HTTP/1.1 400 "), "\(refused)")
            #expect(try await proxy.json("GET", "/proxies").body["pg"] != nil)
        }
    }

    /// curl and Java's clients ask before they send a long body.
    @Test func clientThatAsksBeforeItSendsIsToldToGoOn() async throws {
        try await withProxy { proxy in
            let head =
                "POST /proxies HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n"
                + "Content-Length: \(Self.body.utf8.count)\r\n\r\n"
            let socket = try proxy.client.open(saying: Array(head.utf8))
            defer { close(socket) }
            let expected = "HTTP/1.1 100 Continue\r\n\r\n"
            var interim = [UInt8](repeating: 0, count: expected.utf8.count)
            #expect(recv(socket, &interim, interim.count, Int32(MSG_WAITALL)) == interim.count)
            #expect(Self.text(interim) == expected)
            let body = Array(Self.body.utf8)
            #expect(send(socket, body, body.count, Int32(MSG_NOSIGNAL)) == body.count)
            var status = [UInt8](repeating: 0, count: 12)
            #expect(recv(socket, &status, status.count, Int32(MSG_WAITALL)) == status.count)
            #expect(Self.text(status) == "HTTP/1.1 201")
        }
    }

    @Test func clientThatShutsDownItsSideHasItsAnswer() async throws {
        try await withProxy { proxy in
            for path in ["/proxies", "/populate", "/reset"] {
                let body = path == "/populate" ? "[\(Self.body)]" : Self.body
                let request = "POST \(path) HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                let answer = Self.text(try await proxy.client.exchange(Array(request.utf8), halfCloses: true))
                #expect(answer.hasPrefix("HTTP/1.1 20"), "\(path): \(answer)")
            }
        }
    }

    @Test func tenMegabytesAreRefusedOnEveryPathThatTakesABody() async throws {
        try await withProxy { proxy in
            _ = try await proxy.json("POST", "/proxies", Self.body)
            _ = try await proxy.json("POST", "/proxies/pg/toxics", #"{"type":"noop","name":"t"}"#)
            let before = try await proxy.client.send("GET", "/proxies").body
            let large = [UInt8](repeating: UInt8(ascii: "["), count: 10 << 20)
            for (method, path) in [
                ("POST", "/proxies"), ("POST", "/populate"), ("POST", "/proxies/pg"), ("PATCH", "/proxies/pg"),
                ("POST", "/proxies/pg/toxics"), ("PATCH", "/proxies/pg/toxics/t"), ("POST", "/proxies/pg/cuts"),
            ] {
                let reply = try await proxy.client.send(method, path, body: large)
                #expect(reply.status == 413, "\(method) \(path): \(reply)")
                #expect(try JSONValue(parsing: reply.body)["status"] == 413)
            }
            #expect(try await proxy.client.send("GET", "/proxies").body == before)
        }
    }
}
