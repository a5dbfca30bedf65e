import Foundation
import RigTestSupport
import Testing
import Threading

@testable import HostSystem

@Suite struct UndoerTests {
    private let undoer = Undoer()

    @Test func folderIsRemovedAndWhatRunsInItIsKilled() async throws {
        let folder = try TemporaryFolder()
        try SmallFile.makeFolder(folder.file("deep"))
        try SmallFile.write(Array("text".utf8), to: folder.file("deep/file"))
        let inside = try ChildProcess(
            SpawnRequest(path: "/usr/bin/tail", arguments: ["-F", folder.file("deep/file")]))
        let stopped = try ChildProcess(
            SpawnRequest(path: "/usr/bin/tail", arguments: ["-F", folder.path]))
        stopped.signal(SIGSTOP)
        let neighbour = try ChildProcess(
            SpawnRequest(path: "/usr/bin/tail", arguments: ["-F", folder.path + "0"]))
        try await onOwnThread("undo", throwing: { try undoer.perform(.removeFolder(path: folder.path)) })
        #expect(!SmallFile.exists(folder.path))
        #expect(await inside.wait(within: .seconds(60)) == .signalled(SIGKILL))
        #expect(await stopped.wait(within: .seconds(60)) == .signalled(SIGKILL))
        #expect(neighbour.isRunning)
        neighbour.signal(SIGKILL)
        _ = await neighbour.wait(within: .seconds(60))
        try undoer.perform(.removeFolder(path: folder.path))  // again: nothing to do
    }

    @Test func onlyMountsOfTheRigAreTakenAway() throws {
        #expect(throws: UndoFailure.self) { try undoer.perform(.unmount(path: "/proc")) }
        #expect(Undoer.isMounted("/proc"))
        let folder = try TemporaryFolder()
        try undoer.perform(.unmount(path: folder.path))  // nothing is mounted there
        try undoer.perform(.unmount(path: folder.file("never")))
    }

    @Test func mountPointsAreReadWithTheirBlanks() {
        let text = #"""
            21 1 8:1 / / rw - ext4 /dev/sda1 rw
            98 21 0:45 / /tmp/chaosrig-x/a\040b rw shared:2 - tmpfs chaosrig rw,size=64k
            broken
            """#
        #expect(Undoer.mountPoints(text) == ["/", "/tmp/chaosrig-x/a b"])
    }

    @Test func otherFoldersAreRefused() throws {
        let folder = try TemporaryFolder()
        let victim = folder.file("victim")
        try SmallFile.makeFolder(victim)
        let refused = [
            "/", "/tmp", "/etc", "/home/chaosrig-x", "/tmp/other", "relative/chaosrig-x", "",
            "/tmp/chaosrig-x/../../etc", folder.path + "/../chaosrig-y", "/tmp//chaosrig-x", folder.path + "/",
        ]
        for path in refused {
            #expect(throws: UndoFailure.self, "\(path)") { try undoer.perform(.removeFolder(path: path)) }
        }
        #expect(SmallFile.exists(victim))
    }

    @Test func linkThatLeadsOutIsNotFollowed() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(atPath: folder.file("out"), withDestinationPath: "/etc")
        #expect(throws: UndoFailure.self) { try undoer.perform(.removeFolder(path: folder.file("out/hosts"))) }
        try undoer.perform(.removeFolder(path: folder.file("out")))  // the link itself
        #expect(!SmallFile.exists(folder.file("out")))
        #expect(SmallFile.exists("/etc/hosts"))
    }

    @Test func stoppedProcessIsContinued() async throws {
        let child = try ChildProcess(SpawnRequest(path: "/bin/sleep", arguments: ["600"]))
        let identity = try #require(ProcessTable.identity(of: child.pid))
        let isStopped: @Sendable () -> Bool = { ProcessTable.status(of: child.pid)?.isStopped == true }
        child.signal(SIGSTOP)
        let hasStopped = await onOwnThread("wait for stop") {
            Waiting.untilTrue(before: .now.advanced(by: .seconds(60)), isStopped)
        }
        #expect(hasStopped)

        try undoer.perform(.continueProcess(pid: identity.pid, startTicks: identity.startTicks + 1))
        #expect(isStopped())  // another process with that number: left alone
        try undoer.perform(.continueProcess(pid: identity.pid, startTicks: identity.startTicks))
        #expect(!isStopped())

        child.signal(SIGKILL)
        _ = await child.wait(within: .seconds(60))
        try undoer.perform(.continueProcess(pid: identity.pid, startTicks: identity.startTicks))
    }

    @Test func whatAWrapperStartedEndsWithItsSessionAlsoAfterTheWrapper() async throws {
        let wrapper = try ChildProcess(
            SpawnRequest(path: "/bin/sh", arguments: ["-c", "sleep 600 & sleep 600 & read nothing"], newSession: true))
        let identity = try #require(ProcessTable.identity(of: wrapper.pid))
        let bothRun = await onOwnThread("wait for both") {
            Waiting.untilTrue(before: .now.advanced(by: .seconds(600))) {
                ProcessTable.session(of: identity).filter { ProcessTable.commandLine(of: $0.pid)?.first == "sleep" }
                    .count == 2
                    || !wrapper.isRunning
            }
        }
        #expect(bothRun)
        wrapper.signal(SIGKILL)
        _ = await wrapper.wait(within: .seconds(60))
        let other = ProcessIdentity(pid: identity.pid, startTicks: identity.startTicks + 1_000_000)
        try await perform(.endProcess(pid: other.pid, startTicks: other.startTicks))
        #expect(ProcessTable.session(of: identity).count == 2)  // of another process with that number: left alone

        try await perform(.endProcess(pid: identity.pid, startTicks: identity.startTicks))
        #expect(ProcessTable.session(of: identity) == [])
        try await perform(.endProcess(pid: identity.pid, startTicks: identity.startTicks))
    }

    private func perform(_ undo: Undo) async throws {
        try await onOwnThread("undo", throwing: { () throws(UndoFailure) in try Undoer().perform(undo) })
    }

    @Test func onlyTheCheckDecidesWhetherAProgramUndid() throws {
        try undoer.perform(.program(arguments: ["false"], verify: ["true"]))
        #expect(throws: UndoFailure.self) { try undoer.perform(.program(arguments: ["true"], verify: ["false"])) }
        #expect(throws: UndoFailure.self) { try undoer.perform(.program(arguments: ["false"], verify: [])) }
        try undoer.perform(.program(arguments: ["true"], verify: []))
        #expect(throws: UndoFailure.self) { try undoer.perform(.program(arguments: [], verify: [])) }
        #expect(throws: UndoFailure.self) { try undoer.perform(.program(arguments: ["no-such-program"], verify: [])) }
    }

    @Test func programThatHangsIsGivenUp() throws {
        var undoer = Undoer()
        undoer.limits.program = .milliseconds(200)
        let failure = #expect(throws: UndoFailure.self) {
            try undoer.perform(.program(arguments: ["sleep", "600"], verify: []))
        }
        #expect(failure?.description.contains("did not end within") == true)
    }

    @Test func qdiscIsToldByItsWholeHandle() {
        let list = "qdisc noqueue 0: root refcnt 2 \nqdisc netem 801: root refcnt 2 limit 1000 delay 10ms\n"
        #expect(Undoer.lists("801:", in: list))
        #expect(!Undoer.lists("1:", in: list))
        #expect(!Undoer.lists("801:", in: ""))
    }

    @Test func qdiscOfADeviceThatIsGoneIsGoneToo() throws {
        try undoer.perform(.removeQdisc(device: "no-such-dev", handle: "801:"))
    }

    @Test func stoppingAServerThatNeverWasSucceeds() throws {
        try undoer.perform(.stopServer(dataDirectory: "/nowhere/data"))
        let folder = try TemporaryFolder()
        // A file that names a process which is no server of this directory.
        let child = try ChildProcess(SpawnRequest(path: "/bin/sleep", arguments: ["600"]))
        try SmallFile.write(Array("\(child.pid)\n\(folder.path)\n".utf8), to: folder.file("postmaster.pid"))
        try undoer.perform(.stopServer(dataDirectory: folder.path))
        #expect(child.isRunning)
        child.signal(SIGKILL)
        _ = child.waitBlocking(until: .now.advanced(by: .seconds(60)))
    }
}

@Test func aTableWithAnythingInItIsNotEmpty() {
    #expect(Undoer.isEmptyTable("# Warning: managed by iptables-nft\ntable ip filter {\n}\n"))
    #expect(!Undoer.isEmptyTable("table ip filter {\n\tset allowed {\n\t\ttype ipv4_addr\n\t}\n}\n"))
    #expect(!Undoer.isEmptyTable("table ip filter {\n\tchain INPUT {\n\t}\n}\n"))
    #expect(!Undoer.isEmptyTable(""))
}
