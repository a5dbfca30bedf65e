import Glibc
import HostSystem
import Testing
import Threading

@Suite struct ProcFilesTests {
    @Test func socketLineIsRead() throws {
        let line =
            "   3: 0100007F:4E20 0100007F:D431 01 00000000:00000000 00:00000000 00000000   101        0 4711 1 0000000000000000 20 4 30 10 -1"
        let socket = try #require(TCPSocket(line: line))
        #expect(socket.localPort == 20000)
        #expect(socket.remotePort == 0xD431)
        #expect(socket.state == TCPSocket.established)
        #expect(socket.inode == 4711)
    }

    @Test func socketLineOfVersionSixIsRead() throws {
        let line =
            "   0: 00000000000000000000000001000000:1538 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 99 1 0000000000000000 100 0 0 10 0"
        let socket = try #require(TCPSocket(line: line))
        #expect(socket.localPort == 5432)
        #expect(socket.state == TCPSocket.listening)
    }

    @Test func headingIsNoSocket() {
        #expect(TCPSocket(line: "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt") == nil)
    }

    @Test func postmasterFileIsReadAtEveryStage() throws {
        let whole = "8123\n/d\n1700000000\n20001\n/tmp/s\n127.0.0.1\n  16221569         6\nready   \n"
        let file = try #require(PostmasterFile(text: whole))
        #expect(file.pid == 8123)
        #expect(file.sharedMemoryID == 6)
        #expect(file.status == "ready")
        let early = try #require(PostmasterFile(text: "8123\n/d\n1700000000\n20001\n/tmp/s\n"))
        #expect(early.pid == 8123)
        #expect(early.sharedMemoryID == nil)
        #expect(early.status == nil)
        #expect(PostmasterFile(text: "") == nil)
    }

    @Test func descriptorsOfThisProcessAreListed() throws {
        let zero = open("/dev/zero", O_RDONLY)
        defer { close(zero) }
        let links = try #require(OpenDescriptors.links())
        #expect(links.contains("/dev/zero"))
        #expect(OpenDescriptors.links(of: "\(Int32.max)") == nil)
        #expect(OpenDescriptors.socketInodes(["socket:[7]", "/dev/null", "pipe:[8]", "socket:[x]"]) == [7])
    }

    @Test func conditionIsAskedAtLeastOnceAndNoLongerThanTheDeadline() {
        #expect(Waiting.untilTrue(before: MonotonicInstant(nanoseconds: 0)) { true })
        #expect(!Waiting.untilTrue(before: .now.advanced(by: .milliseconds(30))) { false })
        var calls = 0
        #expect(
            Waiting.untilTrue(before: .distantFuture, every: .milliseconds(1)) {
                calls += 1
                return calls == 3
            })
        #expect(calls == 3)
    }

    @Test func restOfTheTimeIsRoundedUp() {
        #expect(Waiting.milliseconds(until: MonotonicInstant(nanoseconds: 0)) == 0)
        // Far away, and half a millisecond: in a range, since time goes on meanwhile.
        let before = MonotonicInstant.now
        let deadline = before.advanced(by: .microseconds(3_600_000_500))
        let rest = Int64(Waiting.milliseconds(until: deadline))
        #expect(rest <= 3_600_001)
        #expect(rest * 1_000_000 >= MonotonicInstant.now.duration(to: deadline).nanoseconds)
        #expect(Waiting.milliseconds(until: .distantFuture) == 86_400_000)
    }

    @Test func environmentIsReadAsAValue() { #expect(currentEnvironment()["PATH"] == String(cString: getenv("PATH"))) }
}
