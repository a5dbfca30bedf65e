import EventLoop
import Glibc
import RigTestSupport
import Testing
import Threading

@Suite("A socket watch", .timeLimit(.minutes(15)))
struct SocketWatchTests {
    @Test("ends a wait when bytes come, again and again, without being registered anew")
    func wakesOnEachEdge() async throws {
        try await withLoop { loop in
            let pair = SocketPair()
            let watch = try SocketWatch(loop: loop, descriptor: pair.near)
            for _ in 0..<100 {
                async let woken: Void = watch.wait(for: .readable, until: .never)
                pair.writeFar()
                try await woken
                pair.drainNear()
            }
        }
    }

    @Test("keeps an edge that came while nobody waited, and hands it out once")
    func keepsEdges() async throws {
        try await withLoop { loop in
            let pair = SocketPair()
            let watch = try SocketWatch(loop: loop, descriptor: pair.near)
            #expect(!watch.hasNews)
            // The room to write is an edge too: one that came late would pass for the second of the two below.
            try await watch.wait(for: .writable, until: .never)
            let notices = Watched(0)
            watch.onIdleEvent { notices.change { $0 += 1 } }
            pair.writeFar()
            try await notices.wait { $0 > 0 }
            #expect(watch.hasNews)
            try await watch.wait(for: .readable, until: .never)
            #expect(!watch.hasNews)
            // The byte is still unread: an edge is reported once.
            let second = await failure { () throws(LoopError) in
                try await watch.wait(for: .readable, until: .inMilliseconds(5))
            }
            #expect(second == .timedOut)
            #expect(notices.value == 1)
        }
    }

    @Test("reports the peer's close to a waiter")
    func reportsClose() async throws {
        try await withLoop { loop in
            let pair = SocketPair()
            let watch = try SocketWatch(loop: loop, descriptor: pair.near)
            shutdown(pair.far, Int32(SHUT_RDWR))
            try await watch.wait(for: .readable, until: .never)
        }
    }

    @Test("ends every wait after the peer's close, also when that came in one event with the last bytes")
    func keepsTheEnd() async throws {
        try await withLoop { loop in
            let pair = SocketPair()
            // Both before the kernel is asked, so that it tells of both at once.
            pair.writeFar()
            shutdown(pair.far, Int32(SHUT_RDWR))
            let watch = try SocketWatch(loop: loop, descriptor: pair.near)
            try await watch.wait(for: .readable, until: .never)
            // The reader of those bytes has its answer, and looks no further. The next one must not wait for an edge that has
            // come already.
            try await watch.wait(for: .readable, until: .never)
            #expect(watch.hasNews)
        }
    }

    @Test("moves to another loop with its socket: the old one says nothing more")
    func moves() async throws {
        try await withLoop { first in
            try await withLoop { second in
                let pair = SocketPair()
                let old = try SocketWatch(loop: first, descriptor: pair.near)
                old.end()
                let watch = try SocketWatch(loop: second, descriptor: pair.near)
                pair.writeFar()
                try await watch.wait(for: .readable, until: .never)
                // A round through the first loop: an event of it would have come by now.
                await Task(executorPreference: first) {}.value
                #expect(!old.hasNews)
            }
        }
    }

    @Test("ends by deadline and by cancellation, and can be waited on again")
    func endsEarly() async throws {
        try await withLoop { loop in
            let pair = SocketPair()
            let watch = try SocketWatch(loop: loop, descriptor: pair.near)
            let late = await failure { () throws(LoopError) in
                try await watch.wait(for: .readable, until: .inMilliseconds(1))
            }
            #expect(late == .timedOut)
            let waiting = Task {
                await failure { () throws(LoopError) in try await watch.wait(for: .readable, until: .never) }
            }
            waiting.cancel()
            #expect(await waiting.value == .cancelled)
            pair.writeFar()
            try await watch.wait(for: .readable, until: .never)
        }
    }

    @Test("waits for room to write")
    func waitsForRoom() async throws {
        try await withLoop { loop in
            let pair = SocketPair()
            let watch = try SocketWatch(loop: loop, descriptor: pair.near)
            // The room that there was at the beginning is an edge too.
            try await watch.wait(for: .writable, until: .never)
            pair.fillNear()
            let full = await failure { () throws(LoopError) in
                try await watch.wait(for: .writable, until: .inMilliseconds(5))
            }
            #expect(full == .timedOut)
            async let room: Void = watch.wait(for: .writable, until: .never)
            pair.drainFar()
            try await room
        }
    }
}
