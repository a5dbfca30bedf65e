import FaultProxy
import Glibc
import RigModel
import Testing
import Threading

/// What toxics do to real connections.
@Suite struct RelayToxicTests {
    private func roundTrip(_ client: TestSocket, _ bytes: [UInt8] = [1, 2, 3]) throws -> Duration {
        let begin = MonotonicInstant.now
        client.write(bytes)
        #expect(try client.read(exactly: bytes.count) == bytes)
        return begin.duration(to: .now)
    }

    @Test func latencyAffectsOldAndNewConnections() async throws {
        let server = try TestServer.echo()
        let relay = try RunningRelay.started(toPort: server.port)
        let record = try await onThread { [self] in
            let old = try TestSocket.connect(toPort: relay.port)
            _ = try roundTrip(old)
            let records = try relay.set("latency@upstream:latency=50ms", "latency@downstream:latency=50ms")
            #expect(try roundTrip(old) >= .milliseconds(2 * 50))
            let new = try TestSocket.connect(toPort: relay.port)
            #expect(try roundTrip(new) >= .milliseconds(2 * 50))
            return records[0]
        }
        #expect(record.snapshot.connections == 2)
        #expect(record.snapshot.holds.count == 2)
        #expect(record.snapshot.heldBytes == 6)
        relay.stop()
        server.stop()
    }

    @Test("A toxic that is added while a hundred connections are open affects them all at once")
    func hundredOpenConnections() async throws {
        let server = try TestServer.echo()
        let relay = try RunningRelay.started(toPort: server.port)
        let record = try await onThread {
            let clients = try (0..<100).map { _ in try TestSocket.connect(toPort: relay.port) }
            for client in clients {
                client.write([1])
                _ = try client.read(exactly: 1)
            }
            let record = try relay.set("blackhole@downstream")[0]
            for client in clients { client.write([2]) }
            try eventually("every answer is swallowed") { record.snapshot.swallowedBytes == 100 }
            #expect(relay.statistics.downstreamSent == 100)
            return record
        }
        #expect(record.snapshot.connections == 100)
        relay.stop()
        server.stop()
    }

    @Test func resetIsARealResetOnLiveConnectionsAndNewOnes() async throws {
        let server = try TestServer.echo()
        let relay = try RunningRelay.started(toPort: server.port)
        try await onThread {
            let old = try TestSocket.connect(toPort: relay.port)
            old.write([1])
            _ = try old.read(exactly: 1)
            _ = try relay.set("reset")
            #expect(old.read() == .error(ECONNRESET))
            #expect(try TestSocket.connect(toPort: relay.port).read() == .error(ECONNRESET))
            _ = try relay.set()
            let healed = try TestSocket.connect(toPort: relay.port)
            healed.write([2])
            #expect(try healed.read(exactly: 1) == [2])
        }
        #expect(relay.statistics.reset == 2)
        relay.stop()
        server.stop()
    }

    @Test func firstConnectionsAreRefused() async throws {
        let server = try TestServer.echo()
        let relay = try RunningRelay.started(toPort: server.port)
        try await onThread {
            _ = try relay.set("refuse_first:connections=3")
            for _ in 0..<3 { #expect(try TestSocket.connect(toPort: relay.port).read() == .error(ECONNRESET)) }
            let fourth = try TestSocket.connect(toPort: relay.port)
            fourth.write([4])
            #expect(try fourth.read(exactly: 1) == [4])
        }
        #expect(relay.statistics.refused == 3)
        relay.stop()
        server.stop()
    }

    @Test func removalReleasesWhatIsHeldInOrder() async throws {
        let server = try TestServer.echo()
        let relay = try RunningRelay.started(toPort: server.port)
        try await onThread { [self] in
            _ = try relay.set("latency@upstream:latency=600s")
            let client = try TestSocket.connect(toPort: relay.port)
            var count = 0
            for part in ["one ", "two ", "three "] {
                client.write(Array(part.utf8))
                count += part.utf8.count
                try eventually("\(part) is held") { relay.statistics.upstreamReceived == count }
            }
            #expect(relay.statistics.upstreamSent == 0)
            _ = try relay.set()
            client.write(Array("four".utf8))
            #expect(String(decoding: try client.read(exactly: 18), as: UTF8.self) == "one two three four")
            _ = try roundTrip(client)
        }
        relay.stop()
        server.stop()
    }

    @Test func toxicsThatChangeUnderTrafficNeverTearIt() async throws {
        let server = try TestServer.echo()
        let relay = try RunningRelay.started(toPort: server.port) { $0.bufferBytes = 4 << 10 }
        let (steps, piece) = (48, 8 << 10)
        let clients = try await onThread { try (0..<4).map { _ in try TestSocket.connect(toPort: relay.port) } }
        let sent = clients.indices.map { pattern(steps * piece, seed: $0) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (client, sent) in zip(clients, sent) {
                group.addTask {
                    let read = try await onThread { try client.read(exactly: sent.count) }
                    #expect(read == sent)
                }
            }
            group.addTask {
                try await onThread {
                    do {
                        for step in 0..<steps {
                            for (client, sent) in zip(clients, sent) {
                                client.write(Array(sent[(step * piece)..<((step + 1) * piece)]))
                            }
                            let latency =
                                "latency@\(step % 2 == 0 ? "up" : "down")stream:latency=\(step % 7)ms,jitter=1ms"
                            let slicer = "slicer:average_size=1000,size_variation=300,delay=10"
                            _ =
                                try step % 3 == 0
                                ? relay.set() : step % 3 == 1 ? relay.set(latency) : relay.set(latency, slicer)
                            // So close behind the traffic that every change finds bytes on their way.
                            let mark = step * piece * clients.count
                            try eventually("the traffic goes on") { relay.statistics.downstreamSent >= mark }
                        }
                    } catch {
                        // The readers need not wait for what was torn.
                        for client in clients { client.cut() }
                        throw error
                    }
                }
            }
            try await group.waitForAll()
        }
        relay.stop()
        server.stop()
    }

    @Test func fullBufferStopsTheSenderAndLosesNothing() async throws {
        let server = try TestServer.echo()
        let limit = 64 << 10
        let relay = try RunningRelay.started(toPort: server.port) { $0.heldBytes = limit }
        try await onThread {
            _ = try relay.set("latency@upstream:latency=600s")
            let client = try TestSocket.connect(toPort: relay.port)
            let sent = pattern(16 << 20)  // more than the kernel's buffers on the way take
            let writer = ServiceThread(name: "test-writer") { client.write(sent) }
            defer { writer.join() }
            try eventually("the buffer is full") { relay.statistics.upstreamReceived >= limit }
            // One read more than the limit at the most.
            #expect(relay.statistics.upstreamReceived < limit + 256 << 10)
            _ = try relay.set()
            #expect(try client.read(exactly: sent.count) == sent)
        }
        relay.stop()
        server.stop()
    }

    @Test("Bytes held in both directions at once, each with times of its own")
    func bothDirectionsHold() async throws {
        let server = try TestServer.echo()
        let relay = try RunningRelay.started(toPort: server.port) { $0.inspectsWire = false }
        try await onThread {
            _ = try relay.set("bandwidth@upstream:rate=1000KB/s", "bandwidth@downstream:rate=900KB/s")
            let client = try TestSocket.connect(toPort: relay.port)
            let sent = pattern(600_000)
            let writer = ServiceThread(name: "test-writer") { client.write(sent) }
            defer { writer.join() }
            #expect(try client.read(exactly: sent.count) == sent)
            // Every wake was for something: at most some for each slice of 10 ms, and not a multiple of all that came before.
            #expect(relay.threads.plannedLooks < 50)
        }
        relay.stop()
        server.stop()
    }

    @Test("One connection with many short pauses does not stop the others on its thread")
    func busyToxicsLeaveTimeForOthers() async throws {
        let server = try TestServer.echo()
        let relay = try RunningRelay(to: "127.0.0.1:\(server.port)", threads: 1)
        try await onThread {
            _ = try relay.set("slicer@upstream~0.5:average_size=1,delay=1")
            let clients = try (0..<8).map { _ in try TestSocket.connect(toPort: relay.port) }
            try eventually("all are accepted") { relay.relay.connections().count == clients.count }
            // Those that are sliced have work for minutes.
            let sliced = relay.relay.connections().filter { !$0.toxics.isEmpty }.map(\.number)
            try #require(!sliced.isEmpty && sliced.count < 8)
            let writers = sliced.map { number in
                ServiceThread(name: "test-writer") { clients[number].write(pattern(1 << 21)) }
            }
            for (number, client) in clients.enumerated() where !sliced.contains(number) {
                client.write([UInt8(number)])
                #expect(try client.read(exactly: 1) == [UInt8(number)])
            }
            for client in clients { client.cut() }
            for writer in writers { writer.join() }
        }
        relay.stop()
        server.stop()
    }

    @Test("Under a black hole a connection ends when both sides have ended it")
    func deafConnectionEnds() async throws {
        let server = try TestServer { client in
            _ = client.read()
            client.close()
        }
        let relay = try RunningRelay.started(toPort: server.port)
        try await onThread {
            let client = try TestSocket.connect(toPort: relay.port)
            client.write([1])
            try eventually("the byte has passed") { relay.statistics.upstreamSent == 1 }
            _ = try relay.set("blackhole@upstream", "blackhole@downstream")
            client.close()
            try eventually("the connection is gone") { relay.statistics.open == 0 }
        }
        relay.stop()
        server.stop()
    }
}
