import Foundation
import RigTestSupport
import Testing
import Threading

@testable import HostSystem

@Suite struct ControlGroupTests {
    private let version1 = """
        tmpfs /sys/fs/cgroup tmpfs rw 0 0
        cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0
        cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
        cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0
        """
    private let version2 = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0"

    @Test("In version 1 a group belongs below the one that the process is in")
    func version1IsFound() throws {
        let found = try #require(
            ControlGroup.find(
                .memory, memberships: "4:memory:/a/b\n2:cpu,cpuacct:/\n0::/\n", mounts: version1,
                isFolder: { _ in true }))
        #expect(found == ("/sys/fs/cgroup/memory/a/b", "/sys/fs/cgroup/memory/a/b", false))
        let cpu = try #require(
            ControlGroup.find(.cpu, memberships: "2:cpu,cpuacct:/\n", mounts: version1, isFolder: { _ in true }))
        #expect(cpu == ("/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct", false))
    }

    @Test("A path of a container's outside is taken as the root of what is mounted")
    func unseenPathIsTheRoot() throws {
        let found = try #require(
            ControlGroup.find(.memory, memberships: "4:memory:/docker/x\n", mounts: version1, isFolder: { _ in false }))
        #expect(found.parent == "/sys/fs/cgroup/memory")
    }

    @Test("In version 2 a group belongs to the root, and the process goes back to where it was")
    func version2IsFound() throws {
        let found = try #require(
            ControlGroup.find(
                .cpu, memberships: "0::/user.slice/s-1.scope\n", mounts: version2, isFolder: { _ in true }))
        #expect(found == ("/sys/fs/cgroup", "/sys/fs/cgroup/user.slice/s-1.scope", true))
    }

    @Test("Without control groups there is none") func noneIsFound() {
        #expect(ControlGroup.find(.cpu, memberships: "", mounts: "", isFolder: { _ in true }) == nil)
    }

    @Test(
        "The undo touches no group that is not the rig's",
        arguments: ["/sys/fs/cgroup/cpu/user", "/tmp/chaosrig-1", "/sys/fs/cgroup/../../../tmp/chaosrig-1"])
    func foreignGroupIsRefused(_ path: String) {
        #expect(throws: UndoFailure.self) {
            try Undoer().perform(.removeControlGroup(path: path, backTo: "/sys/fs/cgroup/cpu"))
        }
    }

    @Test("A group that is gone is undone") func goneGroupIsUndone() throws {
        try Undoer().perform(
            .removeControlGroup(path: "/sys/fs/cgroup/cpu/chaosrig-nobody", backTo: "/sys/fs/cgroup/cpu"))
    }
}

@Suite struct OwnedProcessTests {
    @Test("A process that the rig has started is ended by its undo, also when it is stopped, and twice does no harm")
    func undoEndsProcess() async throws {
        let child = try ChildProcess(SpawnRequest(path: "/bin/sleep", arguments: ["600"]))
        let identity = try #require(ProcessTable.identity(of: child.pid))
        child.signal(SIGSTOP)
        let undo = Undo.endProcess(pid: identity.pid, startTicks: identity.startTicks)
        try await onOwnThread("undo", throwing: { () throws(UndoFailure) in try Undoer().perform(undo) })
        #expect(await child.wait(within: .seconds(60)) == .signalled(SIGKILL))
        try await onOwnThread("undo", throwing: { () throws(UndoFailure) in try Undoer().perform(undo) })
    }

    @Test("A process with a death signal goes with the thread that started it")
    func deathSignalIsSent() async throws {
        let child = try await onOwnThread(
            "spawn",
            throwing: { () throws(SystemError) in
                try ChildProcess(SpawnRequest(path: "/bin/sleep", arguments: ["600"], deathSignal: SIGKILL))
            })
        #expect(await child.wait(within: .seconds(60)) == .signalled(SIGKILL))
    }

    @Test("A soft limit is lowered and raised again, and the hard one stays")
    func limitIsSet() async throws {
        let child = try ChildProcess(SpawnRequest(path: "/bin/sleep", arguments: ["600"]))
        let before = try ProcessLimit.descriptors.value(of: child.pid)
        #expect(try ProcessLimit.descriptors.setSoft(7, of: child.pid) == 7)
        #expect(try ProcessLimit.descriptors.value(of: child.pid).hard == before.hard)
        #expect(SmallFile.text("/proc/\(child.pid)/limits")?.contains(/Max open files\s+7\s/) == true)
        #expect(try ProcessLimit.descriptors.setSoft(before.soft, of: child.pid) == before.soft)
        child.signalGroup(SIGKILL)
        #expect(await child.wait(within: .seconds(60)) != nil)
    }
}
