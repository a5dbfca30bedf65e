import Dispatch
import HTTPService
import HostSystem
import RigTestSupport
import Testing
import Threading

@testable import FaultProxy

/// The HTTP shell around the control API, on real sockets; the relays behind it have none.
@Suite(.timeLimit(.minutes(3))) struct APIServerTests {
    private let network = FakeNetwork()
    private let set: ProxySet
    private let server: APIServer
    private let client: HTTPClient

    init() throws {
        set = network.makeSet()
        server = try APIServer(
            ProxyAPI(set, version: "1", seed: 0), address: "127.0.0.1:0", log: { _, _, _ in })
        client = HTTPClient(server.address)
        for name in ["slow", "quick"] {
            try set.create(ProxyDefinition(name: name, listen: "\(name):1", upstream: "db:1"))
        }
    }

    @Test func proxyThatTakesItsTimeKeepsNoOtherRequestWaiting() async throws {
        let (entered, leave) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        network.relay("slow")?.holdStops(entered: entered, leave: leave)
        async let deleted = client.send("DELETE", "/proxies/slow")
        await onOwnThread("wait") { entered.wait() }
        #expect(try await client.send("PATCH", "/proxies/quick", #"{"enabled":false}"#).status == 200)
        #expect(try await client.send("GET", "/proxies/slow").status == 200)
        #expect(try await client.send("GET", "/metrics").status == 200)
        leave.signal()
        #expect(try await deleted.status == 204)
        server.stop()
    }

    @Test func longListsAreReadWhileEveryWorkerIsBusyWithChanges() async throws {
        let (entered, leave) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        // As many as there are workers for changes.
        let held = (0..<64).map { "held\($0)" }
        for name in held {
            try set.create(ProxyDefinition(name: name, listen: "\(name):1", upstream: "db:1"))
            network.relay(name)?.holdStops(entered: entered, leave: leave)
        }
        let client = client
        try await withThrowingTaskGroup(of: Int.self) { group in
            for name in held { group.addTask { try await client.send("DELETE", "/proxies/\(name)").status } }
            await onOwnThread("wait") { for _ in held { entered.wait() } }
            let list = Task { try await client.send("GET", "/proxies").status }
            let metrics = Task { try await client.send("GET", "/metrics").status }
            #expect(try await list.value == 200)
            #expect(try await metrics.value == 200)
            for _ in held { leave.signal() }
            for try await status in group { #expect(status == 204) }
        }
        server.stop()
    }

    @Test("A request may name a whole address, as those to a proxy do")
    func absoluteForm() async throws {
        #expect(try await client.send("GET", "http://x/version").status == 200)
        #expect(try await client.send("GET", "HTTP://x:1/metrics").status == 200)
        #expect(try await client.send("GET", "http://x").status == 404)
        server.stop()
    }

    @Test func stopLetsARequestHaveItsAnswer() async throws {
        let (entered, leave) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        network.relay("slow")?.holdStops(entered: entered, leave: leave)
        async let deleted = client.send("DELETE", "/proxies/slow")
        await onOwnThread("wait") { entered.wait() }
        let server = server
        async let stopped: Void = onOwnThread("stop") { server.stop() }
        leave.signal()
        #expect(try await deleted.status == 204)
        await stopped
        await #expect(throws: HTTPClientError.self) { try await client.send("GET", "/version") }
        // Its port is free again.
        let next = try APIServer(
            ProxyAPI(set, version: "1", seed: 0), address: server.address, log: { _, _, _ in })
        next.stop()
    }

    @Test func addressInUseIsToldAndAddressesThatAreNoneAreRefused() throws {
        let refused: [(address: String, words: String)] = [
            (server.address, "Address already in use"), (":0", "name the host"), ("/tmp/x", "needs HOST:PORT"),
            ("127.0.0.1", "missing port in address; the API needs HOST:PORT"),
        ]
        for (address, words) in refused {
            do throws(ProxyError) {
                _ = try APIServer(ProxyAPI(set, version: "1", seed: 0), address: address, log: { _, _, _ in })
                Issue.record("\(address) was taken")
            } catch {
                #expect(error.description.contains(words), "\(error)")
            }
        }
        server.stop()
    }

    @Test func clientsOfTheAPIHaveAShareOfTheDescriptors() {
        let shares = [64, 256, 1024, 4096, 1 << 20].map(APIServer.connections)
        #expect(shares == [32, 64, 256, 1024, 2048])
        server.stop()
    }

    @Test func longListsAreWrittenWhereTheyKeepNobodyWaiting() throws {
        let api = ProxyAPI(set, version: "1", seed: 0)
        func mayTakeTime(_ path: String) -> Bool { api.mayTakeTime(HTTPRequest(method: "GET", path: path)) }
        #expect(!mayTakeTime("/proxies") && !mayTakeTime("/metrics") && !mayTakeTime("/proxies/quick/connections"))
        var statistics = RelayStatistics()
        statistics.open = 1000
        network.relay("quick")?.set(statistics)
        #expect(mayTakeTime("/proxies/quick/connections") && !mayTakeTime("/proxies/slow/connections"))
        for number in 0..<100 {
            try set.create(ProxyDefinition(name: "p\(number)", listen: "p\(number):1", upstream: "db:1"))
        }
        #expect(mayTakeTime("/proxies") && mayTakeTime("/metrics") && !mayTakeTime("/proxies/quick"))
        server.stop()
    }

    @Test func connectionIsKeptForTheNextRequest() async throws {
        let requests =
            "GET /version HTTP/1.1\r\nHost: x\r\n\r\nDELETE /proxies/quick HTTP/1.1\r\nHost: x\r\n\r\n"
            + "GET /proxies/quick HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        let answers = String(decoding: try await client.exchange(Array(requests.utf8)), as: UTF8.self)
        let statuses = answers.split(separator: "\r\n").filter { $0.contains("HTTP/1.1 ") }.map { $0.suffix(20) }
        #expect(statuses.count == 3, "\(answers)")
        #expect(answers.contains("200 OK") && answers.contains("204 No Content") && answers.contains("proxy not found"))
        server.stop()
    }

    @Test func bodyInPiecesIsPutTogether() async throws {
        let body = #"{"name":"c","listen":"c:1","upstream":"db:1"}"#
        let half = body.index(body.startIndex, offsetBy: 10)
        func chunk(_ text: Substring) -> String { String(text.utf8.count, radix: 16) + "\r\n\(text)\r\n" }
        let request =
            "POST /proxies HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
            + chunk(body[..<half]) + chunk(body[half...]) + "0\r\n\r\n"
        let answer = String(decoding: try await client.exchange(Array(request.utf8)), as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 201"), "\(answer)")
        server.stop()
    }

    @Test func bodyAtTheLimitIsReadAndOneByteMoreIsNot() async throws {
        let proxy = Array(#"{"name":"c","listen":"c:1","upstream":"db:1"}"#.utf8)
        let room = ProxyAPI.bodyLimit - proxy.count
        let spaces = [UInt8](repeating: UInt8(ascii: " "), count: room)
        #expect(try await client.send("POST", "/proxies", body: spaces + [0x20] + proxy).status == 413)
        #expect(try await client.send("POST", "/proxies", body: spaces + proxy).status == 201)
        server.stop()
    }

    @Test func manyClientsAtOnceAllHaveTheirAnswer() async throws {
        let client = client
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<60 {
                group.addTask {
                    let path = "/proxies/quick" + (number % 2 == 0 ? "" : "/toxics")
                    let method = number % 3 == 0 ? "PATCH" : "GET"
                    return try await client.send(method, method == "PATCH" ? "/proxies/quick" : path, "{}").status
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses.count == 60 && statuses.allSatisfy { $0 == 200 })
        server.stop()
    }

    @Test func clientsThatShutDownTheirSideStillHaveTheirAnswers() async throws {
        let client = client
        let answers = try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<100 {
                group.addTask {
                    let body = #"{"name":"p\#(number)","listen":"p\#(number):1","upstream":"db:1"}"#
                    let request =
                        "POST /proxies HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body
                    let answer = try await client.exchange(Array(request.utf8), halfCloses: true)
                    return String(decoding: answer, as: UTF8.self)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let created = answers.filter { $0.hasPrefix("HTTP/1.1 201") }.count
        #expect(created == 100, "\(answers.first { !$0.hasPrefix("HTTP/1.1 201") } ?? "")")
        server.stop()
    }
}
