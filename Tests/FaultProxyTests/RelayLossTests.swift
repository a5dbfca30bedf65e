import FaultProxy
import Glibc
import Testing
import Threading

/// What each side sees when the other one goes away.
@Suite struct RelayLossTests {
    /// A port of 127.0.0.1 on which nobody listens, and nobody else can as long as the socket lives.
    private func deadPort() throws -> (holder: TestSocket, port: UInt16) {
        let holder = TestSocket.make()
        try #require(TestSocket.withLoopback(0) { bind(holder.descriptor, $0, $1) } == 0)
        return (holder, holder.localPort)
    }

    @Test func clientOfADeadServerIsReset() async throws {
        let (holder, port) = try deadPort()
        defer { holder.close() }
        let relay = try RunningRelay.started(toPort: port)
        try await onThread {
            for _ in 0..<20 {
                let client = try TestSocket.connect(toPort: relay.port)
                #expect(client.read() == .error(ECONNRESET))
            }
        }
        relay.stop()
        #expect(relay.statistics.refused == 20)
        #expect(relay.statistics.open == 0)
    }

    @Test func clientOfAMissingUnixSocketIsReset() async throws {
        let relay = try RunningRelay(to: "/tmp/chaosrig-nothing-here/socket")
        try await onThread {
            let client = try TestSocket.connect(toPort: relay.port)
            #expect(client.read() == .error(ECONNRESET))
        }
        relay.stop()
    }

    @Test func serverThatNeverAnswersADialIsRefusedAtTheDialTimeout() async throws {
        let listener = try TestSocket.listen(backlog: 0)
        // The queue of one takes the first; the kernel drops the SYN of every other.
        let filler = try TestSocket.connect(toPort: listener.localPort)
        let relay = try RunningRelay.started(toPort: listener.localPort) { $0.dialTimeout = .milliseconds(100) }
        try await onThread {
            let begin = MonotonicInstant.now
            let client = try TestSocket.connect(toPort: relay.port)
            client.write([1])  // not read while the server is being dialled
            #expect(client.read() == .error(ECONNRESET))
            #expect(MonotonicInstant.now >= begin.advanced(by: .milliseconds(100)))
        }
        #expect(relay.statistics.refused == 1)
        relay.stop()
        filler.close()
        listener.close()
    }

    @Test("The server's end reaches the client behind its last bytes", arguments: [true, false], [0, 30])
    func serverEnds(isReset: Bool, latencyMilliseconds: Int) async throws {
        let server = try TestServer { client in
            _ = client.read()
            client.write(Array("bye".utf8))
            if isReset { client.reset() } else { client.close() }
        }
        let relay = try RunningRelay.started(toPort: server.port)
        try await onThread {
            let client = try TestSocket.connect(toPort: relay.port)
            client.write([1])
            let answer = client.readAll()
            #expect(String(decoding: answer.bytes, as: UTF8.self) == "bye")
            #expect(answer.last == (isReset ? .error(ECONNRESET) : .end))
            client.close()
        }
        try await eventually("the pair is closed") { relay.statistics.open == 0 }
        relay.stop()
        server.stop()
    }

    @Test func resetOfTheClientReachesTheServer() async throws {
        let (seen, see) = AsyncStream.makeStream(of: TestSocket.Read.self)
        let server = try TestServer { client in
            client.write([1])
            see.yield(client.readAll().last)
        }
        let relay = try RunningRelay.started(toPort: server.port)
        try await onThread {
            let client = try TestSocket.connect(toPort: relay.port)
            _ = try client.read(exactly: 1)
            client.reset()
        }
        #expect(await seen.first { _ in true } == .error(ECONNRESET))
        try await eventually("the pair is closed") { relay.statistics.open == 0 }
        relay.stop()
        server.stop()
    }

    /// As with a real server: the first write after its FIN is answered by a RST.
    @Test func clientThatWritesToAServerThatIsGoneIsReset() async throws {
        let server = try TestServer { $0.close() }
        let relay = try RunningRelay.started(toPort: server.port)
        try await onThread {
            let client = try TestSocket.connect(toPort: relay.port)
            #expect(client.read() == .end)
            client.write([1])
            try eventually("the pair is closed") { relay.statistics.open == 0 }
            // EPIPE or ECONNRESET: the RST comes behind a FIN that was read already.
            try eventually("the RST has arrived") { [EPIPE, ECONNRESET].contains(client.write([2])) }
        }
        relay.stop()
        server.stop()
    }

    @Test func clientsAreServedAgainOnceTheServerIsBack() async throws {
        let (holder, port) = try deadPort()
        let relay = try RunningRelay.started(toPort: port)
        try await onThread {
            #expect(try TestSocket.connect(toPort: relay.port).read() == .error(ECONNRESET))
            try #require(listen(holder.descriptor, 8) == 0)
            let client = try TestSocket.connect(toPort: relay.port)
            client.write([5])
            let served = try #require(holder.accept())
            #expect(try served.read(exactly: 1) == [5])
        }
        relay.stop()
        holder.close()
    }
}
