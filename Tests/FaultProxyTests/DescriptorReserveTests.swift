import Glibc
import Testing

@testable import FaultProxy

/// Each in a process of its own, because the limit holds for the whole process.
@Suite struct DescriptorReserveTests {
    private static func limitDescriptors(to count: Int) {
        let which = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        getrlimit(which, &limit)
        limit.rlim_cur = rlim_t(count)
        setrlimit(which, &limit)
    }

    private static func connect(_ client: TestSocket, to port: UInt16) -> Bool {
        TestSocket.withLoopback(port) { Glibc.connect(client.descriptor, $0, $1) } == 0
    }

    @Test func manyProxiesTogetherLeaveTheReserve() async {
        await #expect(processExitsWith: .success) {
            Self.limitDescriptors(to: 400)
            // The kernel accepts for it: its end of a connection takes no descriptor.
            let server = try TestSocket.listen(backlog: 1000)
            let threads = try RelayThreads(count: 4)
            let upstream = try ProxyAddress("127.0.0.1:\(server.localPort)")
            let relays = try (0..<12).map { _ in
                let relay = Relay(
                    listen: try ProxyAddress("127.0.0.1:0"), upstream: upstream, options: Relay.Options(),
                    threads: threads)
                return (relay: relay, port: try ProxyAddress(try relay.start()).port)
            }
            try await onThread {
                // They have theirs before the relays take any.
                let clients = (0..<144).map { _ in TestSocket.make() }
                for (number, client) in clients.enumerated() {
                    precondition(Self.connect(client, to: relays[number % 12].port), "connect failed")
                }
                try eventually("each has come to the reserve") {
                    relays.allSatisfy {
                        $0.relay.statistics.descriptorShortages > 0 || $0.relay.statistics.accepted == 12
                    }
                }
                func accepted() -> Int { relays.map(\.relay.statistics.accepted).reduce(0, +) }
                precondition(accepted() < clients.count, "all were taken")
                // What is left is enough for the API.
                let own = (0..<32).map { _ in TestSocket.make() }
                precondition(own.allSatisfy { $0.descriptor >= 0 }, "no descriptor is left")
                for socket in own { socket.close() }
                // Those that had to wait are taken when others have gone; the kernel keeps a place also for who is gone.
                for client in clients { client.reset() }
                try eventually("all are taken") { accepted() == clients.count }
            }
            for (relay, _) in relays { relay.stop() }
            threads.stop()
            server.close()
        }
    }

    @Test func clientsOfARelayThatDialsFirstWaitAtTheReserve() async {
        await #expect(processExitsWith: .success) {
            Self.limitDescriptors(to: 400)
            let server = try TestSocket.listen(backlog: 1000)
            let relay = try RunningRelay.started(toPort: server.localPort) { $0.dialsFirst = true }
            try await onThread {
                let clients = (0..<3).map { _ in TestSocket.make() }
                // One is left in front of the reserve: for the first client, not for the next way to the server.
                var fillers: [Int32] = []
                var next = dup(server.descriptor)
                while next < DescriptorReserve.first {
                    fillers.append(next)
                    next = dup(server.descriptor)
                }
                close(next)
                close(fillers.removeLast())
                precondition(Self.connect(clients[0], to: relay.port), "the first is refused")
                try eventually("the relay has come to the reserve") { relay.statistics.descriptorShortages > 0 }
                for client in clients[1...] { precondition(Self.connect(client, to: relay.port), "refused") }
                let seen = relay.statistics.descriptorShortages
                try eventually("it has tried again") { relay.statistics.descriptorShortages > seen }
                precondition(relay.statistics.accepted == 1 && relay.statistics.refused == 0)
                for filler in fillers { close(filler) }
                try eventually("all are served") { relay.statistics.accepted == 3 }
                for client in clients { client.write([7]) }
                // The kernel gives them in the order of the dials; the last is the spare one.
                for _ in clients {
                    let said = try server.accept()?.read(exactly: 1)
                    precondition(said == [7], "not served")
                }
            }
            relay.stop()
            server.close()
        }
    }

    @Test func clientsOfARelayThatDialsFirstWaitWhileNoDescriptorIsLeft() async {
        await #expect(processExitsWith: .success) {
            // The kernel accepts for it: a server of this process would have no descriptor either.
            let server = try TestSocket.listen(backlog: 1000)
            let relay = try RunningRelay.started(toPort: server.localPort) { $0.dialsFirst = true }
            try await onThread {
                let clients = (0..<2).map { _ in TestSocket.make() }
                let which = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
                var normal = rlimit()
                getrlimit(which, &normal)
                var none = rlimit(rlim_cur: 0, rlim_max: normal.rlim_max)
                // For moments only: libdispatch traps when it cannot open /proc, which it does once a second.
                setrlimit(which, &none)
                let isFirstConnected = Self.connect(clients[0], to: relay.port)
                try eventually("the relay cannot accept") { relay.statistics.descriptorShortages > 0 }
                let isSecondConnected = Self.connect(clients[1], to: relay.port)
                setrlimit(which, &normal)
                precondition(isFirstConnected && isSecondConnected, "refused")
                for client in clients { client.write([7]) }
                for _ in clients {
                    let said = try server.accept()?.read(exactly: 1)
                    precondition(said == [7], "not served")
                }
                precondition(relay.statistics.accepted == 2 && relay.statistics.refused == 0)
            }
            relay.stop()
            server.close()
        }
    }
}
