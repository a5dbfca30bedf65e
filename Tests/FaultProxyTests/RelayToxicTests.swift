import FaultProxy
import Glibc
import RigModel
import Synchronization
import Testing
import Threading

/// Counts the bytes that it sees, then does as another toxic says; without one it holds them for ever.
private struct CountingToxic: HoldingToxic {
    final class Seen: Sendable {
        let bytes = Atomic<Int>(0)
        var count: Int { bytes.load(ordering: .acquiring) }
    }
    let seen: Seen
    var inner: OldLatencyToxic?

    mutating func releaseTime(
        ofChunkWith byteCount: Int, arrivingAt arrival: MonotonicInstant, using generator: inout SeededGenerator
    ) -> MonotonicInstant {
        seen.bytes.add(byteCount, ordering: .acquiringAndReleasing)
        return inner?.releaseTime(ofChunkWith: byteCount, arrivingAt: arrival, using: &generator) ?? .distantFuture
    }
}

private final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .acquiring) }
    func increment() { count.add(1, ordering: .acquiringAndReleasing) }
}

@Suite struct RelayToxicTests {
    private func roundTrip(_ client: TestSocket, _ bytes: [UInt8] = [1, 2, 3]) throws -> Duration {
        let begin = MonotonicInstant.now
        client.write(bytes)
        #expect(try client.read(exactly: bytes.count) == bytes)
        return begin.duration(to: .now)
    }

    @Test func latencyCountsTwiceOnOldAndNewConnections() async throws {
        let server = try TestServer.echo()
        let relay = try Relay.started(toPort: server.port)
        try await onThread { [self] in
            let old = try TestSocket.connect(toPort: relay.port)
            _ = try roundTrip(old)
            relay.apply(OldLatencyToxic(latency: .milliseconds(50)))
            #expect(relay.delayedChunks().count == 0)
            #expect(try roundTrip(old) >= .milliseconds(2 * 45))
            let new = try TestSocket.connect(toPort: relay.port)
            #expect(try roundTrip(new) >= .milliseconds(2 * 45))
        }
        let delayed = relay.delayedChunks()
        #expect(delayed.count == 4)
        #expect(delayed.medianHold >= .milliseconds(45))
        relay.stop()
        server.stop()
    }

    @Test func jitterKeepsTheOrderOfManySmallChunks() async throws {
        let sent = pattern(50_000)
        let server = try TestServer { client in
            let isSame = (try? client.read(exactly: sent.count)) == sent
            client.write([isSame ? 1 : 0])
        }
        let relay = try Relay.started(toPort: server.port)
        let seen = CountingToxic.Seen()
        let jitter = OldLatencyToxic(latency: .milliseconds(2), jitter: .microseconds(1900))
        relay.apply(CountingToxic(seen: seen, inner: jitter))
        try await onThread {
            let client = try TestSocket.connect(toPort: relay.port)
            for start in stride(from: 0, to: sent.count, by: 100) {
                client.write(Array(sent[start..<start + 100]))
                try eventually("the chunk is a chunk of its own") { seen.count >= start + 100 }
            }
            #expect(try client.read(exactly: 1) == [1])
        }
        #expect(relay.delayedChunks().count == 501)
        relay.stop()
        server.stop()
    }

    @Test func removalReleasesWhatIsHeldInOrder() async throws {
        let server = try TestServer.echo()
        let relay = try Relay.started(toPort: server.port)
        let seen = CountingToxic.Seen()
        relay.apply(CountingToxic(seen: seen))
        try await onThread { [self] in
            let client = try TestSocket.connect(toPort: relay.port)
            for (number, part) in ["one ", "two ", "three "].enumerated() {
                client.write(Array(part.utf8))
                try eventually("part \(number) is held") { seen.count >= 4 * (number + 1) }
            }
            try eventually("all parts are held") { seen.count == 14 }
            #expect(relay.statistics.bytesToServer == 0)
            relay.removeToxic()
            client.write(Array("four".utf8))
            #expect(String(decoding: try client.read(exactly: 18), as: UTF8.self) == "one two three four")
            _ = try roundTrip(client)
        }
        #expect((1...3).contains(relay.delayedChunks().count))
        relay.stop()
        server.stop()
    }

    @Test func replacementKeepsTheOrderAndFreesWhatAnEarlierToxicStalled() async throws {
        let server = try TestServer.echo()
        let relay = try Relay.started(toPort: server.port)
        let seen = CountingToxic.Seen()
        relay.apply(CountingToxic(seen: seen))
        try await onThread {
            let client = try TestSocket.connect(toPort: relay.port)
            client.write(Array("held ".utf8))
            try eventually("it is held") { seen.count == 5 }
            relay.apply(OldLatencyToxic(latency: .milliseconds(1)))
            client.write(Array("new".utf8))
            #expect(String(decoding: try client.read(exactly: 8), as: UTF8.self) == "held new")
        }
        relay.stop()
        server.stop()
    }

    @Test func toxicThatChangesUnderTrafficNeverTearsIt() async throws {
        let server = try TestServer.echo()
        let relay = try Relay.started(toPort: server.port, bufferBytes: 32 << 10)
        let finished = Counter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for connection in 0..<4 {
                group.addTask {
                    defer { finished.increment() }
                    try await onThread {
                        let client = try TestSocket.connect(toPort: relay.port)
                        let sent = pattern(1 << 20, seed: connection)
                        let writer = ServiceThread(name: "test-writer") { client.write(sent) }
                        defer { writer.join() }
                        #expect(try client.read(exactly: sent.count) == sent)
                    }
                }
            }
            try await onThread {
                var step = 0
                while finished.value < 4 {
                    step += 1
                    relay.apply(OldLatencyToxic(latency: .microseconds(step % 7 * 300), jitter: .microseconds(500)))
                    // Moves on with the traffic, so that every toxic sees some of it.
                    let mark = relay.statistics.bytesToClient + 50_000
                    try eventually("the traffic goes on or is over") {
                        relay.statistics.bytesToClient >= mark || finished.value == 4
                    }
                    if step % 3 == 0 { relay.removeToxic() }
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
        let relay = try Relay.started(toPort: server.port, bufferBytes: limit)
        let seen = CountingToxic.Seen()
        relay.apply(CountingToxic(seen: seen))
        try await onThread {
            let client = try TestSocket.connect(toPort: relay.port)
            let sent = pattern(16 << 20)  // more than the kernel's buffers on the way take
            let writer = ServiceThread(name: "test-writer") { client.write(sent) }
            defer { writer.join() }
            try eventually("the buffer is full") { seen.count == limit }
            relay.removeToxic()
            #expect(try client.read(exactly: sent.count) == sent)
            #expect(seen.count == limit)
        }
        relay.stop()
        server.stop()
    }
}
