import Glibc
import HostSystem
import Testing
import Threading

@Suite struct TalkingProcessTests {
    private func start(_ script: String) throws -> TalkingProcess {
        try TalkingProcess(path: "/bin/sh", arguments: ["-c", script], name: "sh")
    }

    private func wait(_ process: TalkingProcess, forLines count: Int) async throws {
        try await until { process.lines >= count }
    }

    private func until(_ condition: @escaping @Sendable () -> Bool) async throws {
        let isTrue = await onOwnThread("until") {
            Waiting.untilTrue(before: .now.advanced(by: .seconds(600)), every: .milliseconds(2), condition)
        }
        try #require(isTrue)
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
        try await until { !identity.isAlive }
    }
}
