import Glibc
import HostSystem
import Testing
import Threading

@Suite struct TalkingProcessTests {
    private func start(_ script: String) throws -> TalkingProcess {
        try TalkingProcess(path: "/bin/sh", arguments: ["-c", script], name: "sh")
    }

    private func wait(_ process: TalkingProcess, forLines count: Int) async throws {
        let limit = MonotonicInstant.now.advanced(by: .seconds(600))
        while process.lines < count {
            try #require(MonotonicInstant.now < limit, "it said \(process.lines) lines")
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    @Test func linesAreHeardAndTheEndOfItsInputEndsIt() async throws {
        let process = try start("echo one; echo two; cat; echo three; exit 7")
        try await wait(process, forLines: 2)
        #expect(process.lastLine == "two")
        #expect(process.isRunning)
        #expect(await process.end(within: .seconds(600)) == .exited(7))
        #expect(process.lines == 3)
        #expect(!process.isRunning)
        #expect(await process.end(within: .seconds(600)) == .exited(7))
    }

    @Test func processThatDoesNotEndIsKilled() async throws {
        let process = try start("trap '' HUP INT TERM; echo up; while :; do sleep 1000; done")
        try await wait(process, forLines: 1)
        #expect(await process.end(within: .milliseconds(1)) == .signalled(SIGKILL))
    }

    @Test func droppedProcessEnds() async throws {
        var process: TalkingProcess? = try start("echo up; exec sleep 1000")
        if let process { try await wait(process, forLines: 1) }
        let identity = try #require(process.flatMap { ProcessTable.identity(of: $0.pid) })
        process = nil
        let limit = MonotonicInstant.now.advanced(by: .seconds(600))
        while identity.isAlive {
            try #require(MonotonicInstant.now < limit)
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
