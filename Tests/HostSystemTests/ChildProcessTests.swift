import Glibc
import HostSystem
import RigTestSupport
import Testing
import Threading

@Suite struct ChildProcessTests {
    private func sleeper() throws -> ChildProcess {
        try ChildProcess(SpawnRequest(path: "/bin/sleep", arguments: ["600"]))
    }

    private func later(_ limit: Duration = .seconds(60)) -> MonotonicInstant { .now.advanced(by: limit) }

    /// `kill(pid, 0)` says that a zombie is alive.
    @Test func endedChildThatNobodyWaitedForDoesNotRun() async throws {
        let child = try ChildProcess(SpawnRequest(path: "/bin/sh", arguments: ["-c", "exit 7"]))
        let pid = child.pid
        let limit = later()
        let isZombie = await onOwnThread("wait \(pid)") {
            Waiting.untilTrue(before: limit) { ProcessTable.status(of: pid)?.state == "Z" }
        }
        #expect(isZombie)
        #expect(kill(pid, 0) == 0)
        #expect(ProcessTable.identity(of: pid)?.isAlive == false)
        #expect(!child.isRunning)
        #expect(child.exitStatus == .exited(7))
    }

    @Test func killedChildThatIsDroppedStaysNoZombie() async throws {
        for _ in 0..<20 {
            let pid = try await onOwnThread(
                "drop",
                throwing: { () throws(SystemError) -> Int32 in
                    let child = try ChildProcess(SpawnRequest(path: "/bin/sleep", arguments: ["600"]))
                    child.signal(SIGKILL)
                    return child.pid
                })
            #expect(!ProcessTable.children(of: getpid()).contains { $0.pid == pid })
        }
    }

    @Test func waitEndsAtItsLimitWhileTheChildRuns() async throws {
        let child = try sleeper()
        #expect(await child.wait(within: .milliseconds(20)) == nil)
        #expect(child.isRunning)
        #expect(child.signal(SIGKILL))
        #expect(await child.wait(within: .seconds(60)) == .signalled(SIGKILL))
    }

    @Test func manyWaitersLearnTheSameEnd() async throws {
        let child = try sleeper()
        let ends = await withTaskGroup(of: ProcessEnd?.self) { group in
            for _ in 0..<8 { group.addTask { await child.wait(within: .seconds(60)) } }
            child.signal(SIGTERM)
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(ends == Array(repeating: .signalled(SIGTERM), count: 8))
    }

    @Test func signalToAnEndedChildGoesNowhere() async throws {
        let child = try ChildProcess(SpawnRequest(path: "/bin/true"))
        #expect(await child.wait(within: .seconds(60)) == .exited(0))
        #expect(!child.signal(SIGKILL))
    }

    @Test func childHasItsOwnSessionAndOnlyTheDescriptorsGiven() async throws {
        let folder = try TemporaryFolder()
        let output = open(folder.file("out"), O_RDWR | O_CREAT, 0o600)
        let kept = open("/dev/zero", O_RDONLY)
        let other = open("/dev/full", O_RDONLY)  // without close-on-exec, on purpose
        defer { [output, kept, other].forEach { close($0) } }
        let child = try ChildProcess(
            SpawnRequest(
                path: "/bin/sh", arguments: ["-c", "cut -d ' ' -f 6 /proc/$$/stat; readlink /proc/$$/fd/*; true"],
                standardOutput: output, keptDescriptor: kept))
        #expect(await child.wait(within: .seconds(60)) == .exited(0))
        let lines = try #require(SmallFile.text(folder.file("out"))).split(separator: "\n").map(String.init)
        #expect(lines.first == "\(child.pid)")
        #expect(lines.contains("/dev/zero"))
        #expect(!lines.contains("/dev/full"))
    }
}
