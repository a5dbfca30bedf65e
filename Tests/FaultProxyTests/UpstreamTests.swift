import Testing

@testable import FaultProxy

@Suite struct UpstreamTests {
    @Test func numericAddressIsKnownAtOnceAndNeverLookedUpAgain() throws {
        let upstream = Upstream(try ProxyAddress("127.0.0.1:5432"))
        upstream.noteFailure()
        #expect(try upstream.current.get().text == "127.0.0.1:5432")
        #expect(try Upstream(ProxyAddress("[::1]:1")).current.get().text == "[::1]:1")
        #expect(try Upstream(ProxyAddress("/tmp/s")).current.get().text == "/tmp/s")
    }

    @Test("A name without an address is no error of the relay: its clients are reset, with the reason")
    func nameWithoutAddress() async throws {
        // An empty label: the resolver knows without asking anybody that there is no such name.
        let relay = try RunningRelay(to: "nowhere..invalid:5432")
        try await onThread {
            let client = try TestSocket.connect(toPort: relay.port)
            #expect(client.read() == .error(104 /* ECONNRESET */))
        }
        relay.stop()
        #expect(relay.statistics.refused == 1)
        guard case .serverRefused(let why)? = relay.events.reasons.first else {
            Issue.record("\(relay.events.all)")
            return
        }
        #expect(why.contains("nowhere..invalid:5432"))
    }
}
