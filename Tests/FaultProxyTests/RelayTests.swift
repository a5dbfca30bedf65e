import FaultProxy
import Glibc
import Testing
import Threading

@Suite struct RelayTests {
    @Test("Bytes pass unchanged", arguments: [1, 16])
    func echo(connections: Int) async throws {
        let server = try TestServer.echo()
        let relay = try RunningRelay.started(toPort: server.port)
        let size = 2 << 20
        try await withThrowingTaskGroup(of: Void.self) { group in
            for connection in 0..<connections {
                group.addTask {
                    try await onThread {
                        let client = try TestSocket.connect(toPort: relay.port)
                        let sent = pattern(size, seed: connection)
                        let writer = ServiceThread(name: "test-writer") { client.write(sent) }
                        defer { writer.join() }
                        #expect(try client.read(exactly: size) == sent)
                    }
                }
            }
            try await group.waitForAll()
        }
        try await eventually("all pairs are closed") { relay.statistics.open == 0 }
        let total = connections * size
        var expected = RelayStatistics()
        expected.accepted = connections
        (expected.upstreamReceived, expected.upstreamSent) = (total, total)
        (expected.downstreamReceived, expected.downstreamSent) = (total, total)
        #expect(relay.statistics == expected)
        relay.stop()
        server.stop()
    }

    @Test func movedRelayLeadsNewConnectionsToTheOtherServerAndLeavesTheOldOnes() async throws {
        try await withSocketPath { path async throws in
            let first = try TestServer.echo()
            let second = try TestServer.echo(unixPath: path)
            let relay = try RunningRelay.started(toPort: first.port)
            try await onThread {
                let old = try TestSocket.connect(toPort: relay.port)
                old.write([1])
                #expect(try old.read(exactly: 1) == [1])
                relay.relay.move(to: .unix(path: path))
                old.write([2])
                #expect(try old.read(exactly: 1) == [2])
                let new = try TestSocket.connect(toPort: relay.port)
                new.write([3])
                #expect(try new.read(exactly: 1) == [3])
            }
            #expect(relay.statistics.accepted == 2)
            first.stop()
            try await onThread {
                let later = try TestSocket.connect(toPort: relay.port)
                later.write([4])
                #expect(try later.read(exactly: 1) == [4], "the first server is gone")
            }
            relay.stop()
            second.stop()
        }
    }

    @Test func unixSocketCanBeTheUpstream() async throws {
        try await withSocketPath { path async throws in
            let server = try TestServer.echo(unixPath: path)
            let relay = try RunningRelay(to: path)
            try await onThread {
                let client = try TestSocket.connect(toPort: relay.port)
                client.write(Array("hello".utf8))
                #expect(try client.read(exactly: 5) == Array("hello".utf8))
            }
            relay.stop()
            server.stop()
        }
    }

    /// On a Unix socket a full queue of connections is an error at once (EAGAIN), not a wait as with TCP.
    @Test func fullQueueOfAUnixSocketIsTriedAgain() async throws {
        try await withSocketPath { path async throws in
            let listener = try TestSocket.listen(atPath: path, backlog: 0)
            let filler = TestSocket.make(AF_UNIX)
            try #require(TestSocket.withUnixAddress(path) { connect(filler.descriptor, $0, $1) } == 0)
            let relay = try RunningRelay(to: path) { $0.dialTimeout = .seconds(60) }
            try await onThread {
                let client = try TestSocket.connect(toPort: relay.port)
                client.write([7])
                try eventually("the relay has the client") { relay.statistics.open == 1 }
                _ = try #require(listener.accept())  // the filler: now there is room
                let served = try #require(listener.accept())
                #expect(try served.read(exactly: 1) == [7])
            }
            #expect(relay.statistics.refused == 0)
            relay.stop()
            filler.close()
        }
    }

    @Test func halfCloseIsPassedOnAndTheAnswerStillComes() async throws {
        let server = try TestServer { client in
            let question = client.readAll()
            client.write(Array("got \(question.bytes.count), then \(question.last)".utf8))
            client.close()
        }
        let relay = try RunningRelay.started(toPort: server.port)
        try await onThread {
            let client = try TestSocket.connect(toPort: relay.port)
            client.write(Array("abc".utf8))
            client.endWriting()
            let answer = client.readAll()
            #expect(String(decoding: answer.bytes, as: UTF8.self) == "got 3, then end")
            #expect(answer.last == .end)
        }
        relay.stop()
        server.stop()
    }

    @Test func halfCloseOfTheServerLeavesTheWayToItOpen() async throws {
        let (received, receive) = AsyncStream.makeStream(of: [UInt8].self)
        let server = try TestServer { client in
            client.write(Array("bye".utf8))
            client.endWriting()
            receive.yield(client.readAll().bytes)
            client.close()
        }
        let relay = try RunningRelay.started(toPort: server.port)
        try await onThread {
            let client = try TestSocket.connect(toPort: relay.port)
            let answer = client.readAll()
            #expect(String(decoding: answer.bytes, as: UTF8.self) == "bye")
            #expect(answer.last == .end)
            client.write(Array("still here".utf8))
            client.close()
        }
        #expect(await received.first { _ in true } == Array("still here".utf8))
        try await eventually("the connection is closed") { relay.statistics.open == 0 }
        #expect(relay.events.reasons == [.finished(first: .downstream)])
        relay.stop()
        server.stop()
    }

    @Test("A file that is no socket is never taken for one that was left behind")
    func plainFileIsLeftAlone() async throws {
        try await withSocketPath { path async throws in
            let file = "\(path).txt"
            close(open(file, O_CREAT | O_WRONLY, 0o600))
            defer { unlink(file) }
            #expect(throws: ProxyError.self) { try RunningRelay(to: "127.0.0.1:1", listen: file) }
            #expect(access(file, F_OK) == 0)
        }
    }

    /// At a socket's path: a port that was given up another test may have by now.
    @Test func relayCanBeStoppedAndStartedAgain() async throws {
        let server = try TestServer.echo()
        try await withSocketPath { path async throws in
            let relay = try RunningRelay(to: "127.0.0.1:\(server.port)", listen: path)
            #expect(try relay.relay.start() == relay.address, "a second start changes nothing")
            let (isRefused, answer) = try await onThread {
                func connected() throws -> TestSocket? {
                    let socket = TestSocket.make(AF_UNIX)
                    if TestSocket.withUnixAddress(path, { Glibc.connect(socket.descriptor, $0, $1) }) == 0 {
                        return socket
                    }
                    socket.close()
                    return nil
                }
                let old = try #require(try connected())
                old.write([1])
                _ = try old.read(exactly: 1)
                relay.relay.stop()
                relay.relay.stop()
                #expect(old.read() == .end)
                let isRefused = try connected() == nil
                #expect(relay.statistics.open == 0)
                _ = try relay.relay.start()
                let again = try #require(try connected())
                again.write([2])
                return (isRefused, try again.read(exactly: 1))
            }
            #expect(isRefused)
            #expect(answer == [2])
            relay.stop()
            #expect(relay.events.reasons.first == .proxyStopped)
        }
        server.stop()
    }

    @Test func portInUseIsNamed() throws {
        let first = try RunningRelay.started(toPort: 1)
        defer { first.stop() }
        let error = try #require(throws: ProxyError.self) {
            try RunningRelay(to: "127.0.0.1:1", listen: first.address)
        }
        #expect(error == .listenFailed(address: first.address, reason: "Address already in use"))
    }

    /// In a process of its own, because the limit holds for the whole process. The limit is low for moments only, and
    /// on a thread: libdispatch traps when it cannot open /proc to count its busy threads, which it does once a second.
    @Test func clientsWaitWhileNoDescriptorIsLeft() async {
        await #expect(processExitsWith: .success) {
            let server = try TestServer.echo()
            let relay = try RunningRelay.started(toPort: server.port)
            try await onThread {
                let client = TestSocket.make()
                let which = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
                var normal = rlimit()
                getrlimit(which, &normal)
                var none = rlimit(rlim_cur: 0, rlim_max: normal.rlim_max)
                setrlimit(which, &none)
                // The kernel accepts without the relay.
                let status = TestSocket.withLoopback(relay.port) { connect(client.descriptor, $0, $1) }
                try eventually("the relay cannot accept") { relay.statistics.descriptorShortages > 0 }
                setrlimit(which, &normal)
                precondition(status == 0, "connect failed")
                client.write([7])
                let answer = try client.read(exactly: 1)
                precondition(answer == [7] && relay.statistics.accepted == 1)
            }
            relay.stop()
            server.stop()
        }
    }

    /// In a process of its own, because the limit holds for the whole process.
    @Test func clientsWaitBeforeTheLastDescriptorIsTaken() async {
        await #expect(processExitsWith: .success) {
            let which = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
            var limit = rlimit()
            getrlimit(which, &limit)
            limit.rlim_cur = 400
            setrlimit(which, &limit)
            // The kernel accepts for it: its end of a connection takes no descriptor.
            let server = try TestSocket.listen(backlog: 1000)
            let relay = try RunningRelay.started(toPort: server.localPort)
            try await onThread {
                // Three descriptors each: the client, and the relay's two.
                // The clients have theirs before the relay takes any.
                let clients = (0..<140).map { _ in TestSocket.make() }
                for client in clients {
                    let status = TestSocket.withLoopback(relay.port) { connect(client.descriptor, $0, $1) }
                    precondition(status == 0, "connect failed")
                }
                try eventually("the relay has come to the reserve") { relay.statistics.descriptorShortages > 0 }
                let taken = relay.statistics.accepted
                precondition(taken < clients.count, "all were taken")
                // What is left is enough for the API.
                let own = (0..<32).map { _ in TestSocket.make() }
                precondition(own.allSatisfy { $0.descriptor >= 0 }, "no descriptor is left")
                for socket in own { socket.close() }
                // Those that had to wait are served when others have gone.
                for client in clients[..<taken] { client.reset() }
                try eventually("all are taken") { relay.statistics.accepted == clients.count }
            }
            relay.stop()
            server.close()
        }
    }

    /// In a process of its own, because descriptors and threads are counted for the whole process.
    @Test func stopLeavesNoDescriptorAndNoThread() async {
        await #expect(processExitsWith: .success) {
            func count(_ folder: String) -> Int {
                guard let handle = opendir(folder) else { return -1 }
                defer { closedir(handle) }
                var count = 0
                while readdir(handle) != nil { count += 1 }
                return count
            }
            func cycle() throws {
                let server = try TestServer.echo()
                let relay = try RunningRelay.started(toPort: server.port)
                let clients = try (0..<8).map { _ in try TestSocket.connect(toPort: relay.port) }
                for client in clients {
                    client.write([7])
                    _ = try client.read(exactly: 1)
                }
                clients[0].reset()
                clients[1].close()
                clients[2].endWriting()
                clients[3].write([8])  // held, or not even read, when the relay stops
                relay.stop()
                precondition(relay.statistics.open == 0)
                for client in clients { client.close() }
                server.stop()
            }
            try cycle()  // whatever the first use of anything opens
            let before = count("/proc/self/fd")
            try cycle()
            let after = count("/proc/self/fd")
            precondition(before > 0 && after == before, "\(before) descriptors before, \(after) after")

            let relayThreads = try FileNames.threads().filter { $0 == "relay" }
            precondition(relayThreads.isEmpty, "the thread is still there")
        }
    }
}

enum FileNames {
    /// The names of this process's threads.
    static func threads() throws -> [String] {
        guard let folder = opendir("/proc/self/task") else { throw SocketTestError("no /proc/self/task") }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let id = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard id.first != ".", let file = fopen("/proc/self/task/\(id)/comm", "r") else { continue }
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 64)
            guard fgets(&line, Int32(line.count), file) != nil else { continue }
            names.append(String(decoding: line.prefix { $0 != 10 && $0 != 0 }.map(UInt8.init), as: UTF8.self))
        }
        return names
    }
}
