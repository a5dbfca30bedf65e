import Foundation
import HostSystem
import RigTestSupport
import Testing

@Suite struct DeadRunTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func makeRun(_ name: String, owner: RunOwner?) throws -> String {
        let path = folder.file("chaosrig-\(name)")
        try SmallFile.makeFolder(path, mode: 0o711)
        try owner?.write(in: path)
        return path
    }

    private var found: [String] {
        DeadRun.find(in: [folder.path]).map { String($0.folder.dropFirst(folder.path.count + 1)) }
    }

    /// An owner that really lived and ended.
    private func deadOwner(journal: String? = nil) async throws -> RunOwner {
        let child = try ChildProcess(SpawnRequest(path: "/bin/sleep", arguments: ["600"]))
        let identity = try #require(ProcessTable.identity(of: child.pid))
        child.signal(SIGKILL)
        #expect(await child.wait(within: .seconds(60)) != nil)
        let here = RunOwner(journal: nil)
        return RunOwner(
            pid: identity.pid, startTicks: identity.startTicks, boot: here.boot, namespace: here.namespace,
            journal: journal)
    }

    @Test func folderOfADeadOwnerIsFoundAndHealed() async throws {
        let journal = try Journal.create(at: folder.file("journal.jsonl"))
        let path = try makeRun("dead", owner: await deadOwner(journal: journal.path))
        _ = try journal.willChange(.removeFolder(path: path))
        let marker = folder.file("marker")
        try SmallFile.makeFolder(marker)
        _ = try journal.willChange(.program(arguments: ["rmdir", marker], verify: ["test", "!", "-e", marker]))
        journal.close()

        let run = try #require(DeadRun.find(in: [folder.path]).first)
        #expect(run == DeadRun(folder: path, journal: journal.path))
        #expect(await run.heal() == [])
        #expect(!SmallFile.exists(path))
        #expect(!SmallFile.exists(marker))
        #expect(found.isEmpty)
        #expect(await run.heal() == [])
    }

    @Test func folderIsHealedAlsoWhenItsJournalIsGone() async throws {
        let path = try makeRun("dead", owner: await deadOwner(journal: folder.file("gone.jsonl")))
        let run = try #require(DeadRun.find(in: [folder.path]).first)
        #expect(run.journal == nil)
        #expect(await run.heal() == [])
        #expect(!SmallFile.exists(path))
    }

    @Test func liveRunIsNeverFound() throws {
        _ = try makeRun("live", owner: RunOwner(journal: nil))
        #expect(found.isEmpty)
    }

    /// Two containers that share a temporary folder: the other one's process numbers mean nothing here.
    @Test func runOfAnotherProcessNamespaceIsNotJudged() async throws {
        let dead = try await deadOwner()
        func owner(boot: String, namespace: String) -> RunOwner {
            RunOwner(pid: dead.pid, startTicks: dead.startTicks, boot: boot, namespace: namespace, journal: nil)
        }
        _ = try makeRun("elsewhere", owner: owner(boot: dead.boot, namespace: "pid:[1]"))
        #expect(found.isEmpty)
        _ = try makeRun("last-boot", owner: owner(boot: "another", namespace: "pid:[1]"))
        #expect(found == ["chaosrig-last-boot"])
    }

    private func age(_ path: String) throws {
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSinceNow: -300)], ofItemAtPath: path)
    }

    @Test func emptyFolderWithoutOwnerIsDeadOnlyWhenItIsOld() throws {
        let path = try makeRun("unknown", owner: nil)
        #expect(found.isEmpty)
        try age(path)
        #expect(found == ["chaosrig-unknown"])
        try SmallFile.write(Array("{\"pid\":".utf8), to: path + "/owner.json")  // cut off by a power cut
        try age(path)
        #expect(found == ["chaosrig-unknown"])
    }

    /// For example the results of `chaosrig run --out /tmp/chaosrig-results`.
    @Test func folderOfAPersonIsNeverDead() throws {
        let path = try makeRun("results", owner: nil)
        try SmallFile.write([], to: path + "/report.json")
        try age(path)
        #expect(found.isEmpty)
    }

    /// Everybody can put a folder and a journal with programs to run into /tmp.
    @Test func whatOthersCanWriteIsNotFollowed() async throws {
        let path = try makeRun("open", owner: await deadOwner())
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: path)
        #expect(found.isEmpty)

        let journal = folder.file("journal.jsonl")
        try SmallFile.write([], to: journal)
        _ = try makeRun("journal", owner: await deadOwner(journal: journal))
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: journal)
        #expect(DeadRun.find(in: [folder.path]).map(\.journal) == [nil])
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give a folder away"))
    func folderOfAnotherUserIsNotFollowed() async throws {
        let path = try makeRun("foreign", owner: await deadOwner())
        #expect(found == ["chaosrig-foreign"])
        #expect(chown(path, 65534, 65534) == 0)
        #expect(found.isEmpty)
    }
}
