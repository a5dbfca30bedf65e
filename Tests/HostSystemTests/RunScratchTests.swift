import Foundation
import HostSystem
import RigTestSupport
import Testing

@Suite struct RunScratchTests {
    let folder: TemporaryFolder
    let journal: Journal

    init() throws {
        folder = try TemporaryFolder()
        journal = try Journal.create(at: folder.file("journal.jsonl"))
    }

    @Test func folderIsAnnouncedAndSaysWhoseItIs() async throws {
        let scratch = try RunScratch(runID: "r1", journal: journal, in: [folder.path])
        #expect(scratch.path == "\(folder.path)/chaosrig-r1")
        #expect(journal.openEntries.map(\.undo) == [.removeFolder(path: scratch.path)])
        let owner = try #require(RunOwner.read(in: scratch.path))
        #expect(owner == RunOwner(journal: journal.path))
        #expect(!owner.isDead)
        let mode = try FileManager.default.attributesOfItem(atPath: scratch.path)[.posixPermissions] as? Int
        #expect(mode == 0o711)
        #expect(scratch.newPath("pg") != scratch.newPath("pg"))

        try await scratch.remove()
        #expect(!SmallFile.exists(scratch.path))
        #expect(journal.openEntries.isEmpty)
        try await scratch.remove()
    }

    @Test func folderOfAnotherRunIsNotTouched() async throws {
        let other = folder.file("chaosrig-taken")
        try SmallFile.makeFolder(other)
        #expect(throws: ScratchError.self) { try RunScratch(runID: "taken", journal: journal, in: [folder.path]) }
        #expect(await journal.undoAll() == [])
        #expect(SmallFile.exists(other))
    }

    @Test func pathTooLongForASocketFallsBackToTheNext() throws {
        let long = folder.file(String(repeating: "l", count: 80))
        let scratch = try RunScratch(runID: "s", journal: journal, in: [long, folder.path])
        #expect(scratch.path == folder.file("chaosrig-s"))
        #expect(throws: ScratchError.self) { try RunScratch(runID: "s", journal: journal, in: [long]) }
        #expect(throws: ScratchError.self) {
            try RunScratch(runID: String(repeating: "r", count: 90), journal: journal)
        }
    }

    @Test func runIDsDiffer() {
        let ids = Set((0..<50).map { _ in RunScratch.newRunID() })
        #expect(ids.count == 50)
    }
}
