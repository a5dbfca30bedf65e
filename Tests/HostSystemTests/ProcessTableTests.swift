import Glibc
import HostSystem
import RigTestSupport
import Testing
import Threading

@Suite struct ProcessTableTests {
    @Test func nameWithParenthesesAndSpacesIsRead() throws {
        let line = "77 (a) b (c) S 1 77 77 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2\n"
        let status = try #require(ProcessStatus(statLine: line))
        #expect(status.name == "a) b (c")
        #expect(status.state == "S")
        #expect(status.parent == 1)
        #expect(status.startTicks == 987654)
    }

    @Test(arguments: [
        "", "77", "77 (name", "77 (name) S 1 2", "77 )( S 1 77 77 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 9 1",
    ])
    func otherTextIsNoStatus(_ line: String) { #expect(ProcessStatus(statLine: line) == nil) }

    @Test func thisProcessIsAliveAndAnotherStartTimeIsNot() {
        let current = ProcessIdentity.current
        #expect(current.pid == getpid())
        #expect(current.isAlive)
        #expect(!ProcessTable.isAlive(current.pid, startTicks: current.startTicks + 1))
        #expect(!ProcessTable.isAlive(.max, startTicks: 0))
    }

    @Test func childIsListedWithItsCommandLineAndDirectory() async throws {
        let child = try ChildProcess(
            SpawnRequest(path: "/bin/sleep", arguments: ["600", "0"], workingDirectory: "/proc"))
        #expect(ProcessTable.children(of: getpid()).contains { $0.pid == child.pid })
        #expect(ProcessTable.commandLine(of: child.pid) == ["/bin/sleep", "600", "0"])
        #expect(ProcessTable.workingDirectory(of: child.pid) == "/proc")
        #expect(ProcessTable.lineage(of: child.pid).isSuperset(of: [child.pid, getpid()]))
        child.signal(SIGKILL)
        #expect(await child.wait(within: .seconds(60)) == .signalled(SIGKILL))
        #expect(ProcessTable.status(of: child.pid) == nil)
    }

    @Test func signalReachesOnlyTheProcessMeant() async throws {
        let child = try ChildProcess(SpawnRequest(path: "/bin/sleep", arguments: ["600"]))
        let identity = try #require(ProcessTable.identity(of: child.pid))
        let impostor = ProcessIdentity(pid: identity.pid, startTicks: identity.startTicks + 1)
        #expect(impostor.signal(SIGKILL) == ESRCH)
        #expect(child.isRunning)
        #expect(identity.signal(SIGKILL) == 0)
        #expect(await child.wait(within: .seconds(60)) == .signalled(SIGKILL))
        #expect(identity.signal(SIGKILL) == ESRCH)
    }
}
