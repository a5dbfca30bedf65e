import Foundation
import HostSystem
import RigTestSupport
import Testing

@Suite struct JournalTests {
    let folder: TemporaryFolder
    let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("journal.jsonl")
    }

    private var lines: [String] { (SmallFile.text(path) ?? "").split(separator: "\n").map(String.init) }

    /// An undo that works once only: it removes an empty folder, which must exist.
    private func removal(of name: String, making: Bool = true) throws -> Undo {
        let path = folder.file(name)
        if making { try SmallFile.makeFolder(path) }
        return .program(arguments: ["rmdir", path], verify: ["test", "!", "-e", path])
    }

    @Test func announcementIsInTheFileWhenTheCallReturns() throws {
        let journal = try Journal.create(at: path)
        #expect(try journal.willChange(.stopServer(dataDirectory: "/tmp/chaosrig-x/data")) == 0)
        #expect(lines == [#"{"entry":0,"undo":{"stopServer":{"dataDirectory":"/tmp/chaosrig-x/data"}}}"#])
        try journal.didUndo(0)
        #expect(lines.last == #"{"undone":0}"#)
        #expect(journal.openEntries.isEmpty)
    }

    @Test func anotherProcessReadsWhatIsOpen() throws {
        let undos: [Undo] = [
            .removeFolder(path: "/tmp/chaosrig-a \"quoted\"\n"), .stopServer(dataDirectory: "/d"),
            .continueProcess(pid: 7, startTicks: .max), .program(arguments: ["a", ""], verify: []),
        ]
        let journal = try Journal.create(at: path)
        for undo in undos { _ = try journal.willChange(undo) }
        try journal.didUndo(1)
        let read = try Journal.open(existing: path)
        #expect(read.openEntries.map(\.entry) == [0, 2, 3])
        #expect(read.openEntries.map(\.undo) == [undos[0], undos[2], undos[3]])
        #expect(try read.willChange(undos[1]) == 4)
    }

    @Test func newestChangeIsUndoneFirst() async throws {
        let journal = try Journal.create(at: path)
        _ = try journal.willChange(removal(of: "outer"))
        _ = try journal.willChange(removal(of: "outer/inner"))  // must go first, or the outer one is not empty
        #expect(await journal.undoAll() == [])
        #expect(!SmallFile.exists(folder.file("outer")))
        #expect(journal.openEntries.isEmpty)
        #expect(lines.suffix(2) == [#"{"undone":1}"#, #"{"undone":0}"#])
    }

    @Test func undoingAgainDoesNothing() async throws {
        let journal = try Journal.create(at: path)
        _ = try journal.willChange(removal(of: "once"))
        #expect(await journal.undoAll() == [])
        let before = lines
        #expect(await journal.undoAll() == [])
        #expect(await (try Journal.open(existing: path)).undoAll() == [])
        #expect(lines == before)
    }

    @Test func failedUndoStaysOpenAndDoesNotStopTheOthers() async throws {
        let journal = try Journal.create(at: path)
        _ = try journal.willChange(removal(of: "good"))
        let bad = Undo.program(arguments: ["rmdir", folder.path], verify: ["false"])
        _ = try journal.willChange(bad)
        let leftovers = await journal.undoAll()
        #expect(leftovers.map(\.undo) == [bad])
        #expect(leftovers.first?.problem.hasPrefix("false ended with exit status 1") == true)
        #expect(leftovers.first?.remedy == "rmdir \(folder.path)")
        #expect(!SmallFile.exists(folder.file("good")))
        #expect(try Journal.open(existing: path).openEntries.map(\.undo) == [bad])
    }

    /// The folder with the owner's name leads the next run to the journal.
    @Test func runFolderIsKeptWhileSomethingElseIsLeft() async throws {
        let journal = try Journal.create(at: path)
        let scratch = try RunScratch(runID: "kept-\(RunScratch.newRunID())", journal: journal)
        let entry = try journal.willChange(.program(arguments: ["false"], verify: []))
        #expect(await journal.undoAll().count == 2)
        #expect(SmallFile.exists(scratch.path))
        try journal.didUndo(entry)
        #expect(await journal.undoAll() == [])
        #expect(!SmallFile.exists(scratch.path))
    }

    /// A power cut in the middle of a write: at every byte of the last line.
    @Test func lastLineThatWasCutOffIsDropped() throws {
        let journal = try Journal.create(at: path)
        _ = try journal.willChange(.stopServer(dataDirectory: "/first"))
        _ = try journal.willChange(.stopServer(dataDirectory: "/second"))
        journal.close()
        let whole = try #require(SmallFile.bytes(path))
        let firstLine = try #require(whole.firstIndex(of: 10)) + 1
        for length in firstLine..<whole.count {
            try SmallFile.write(Array(whole[..<length]), to: path)
            let read = try Journal.open(existing: path)
            #expect(read.openEntries.map(\.undo) == [.stopServer(dataDirectory: "/first")])
            #expect(try read.willChange(.stopServer(dataDirectory: "/third")) == 1)
            #expect(try Journal.open(existing: path).openEntries.count == 2)
        }
    }

    @Test func damagedLineIsReportedAndTheRestUndone() async throws {
        let journal = try Journal.create(at: path)
        _ = try journal.willChange(removal(of: "first"))
        journal.close()
        let good = try #require(SmallFile.bytes(path))
        try SmallFile.write(Array("{\"entry\":9,\"undo\":{\"later\":{}}}\n".utf8) + good, to: path)
        let leftovers = await (try Journal.open(existing: path)).undoAll()
        #expect(leftovers.count == 1)
        #expect(leftovers.first?.problem.hasPrefix("line 1 of \(path) cannot be read") == true)
        #expect(!SmallFile.exists(folder.file("first")))
    }

    @Test func journalOfAnotherRunIsNotOverwritten() throws {
        _ = try Journal.create(at: path)
        #expect(throws: JournalError.exists(path: path)) { try Journal.create(at: path) }
    }

    @Test func closedJournalRefusesAChange() throws {
        let journal = try Journal.create(at: path)
        journal.close()
        #expect(throws: JournalError.closed(path: path)) { try journal.willChange(.stopServer(dataDirectory: "/d")) }
        #expect(lines.isEmpty)
    }

    @Test func announcementThatCannotBeWrittenIsAnError() throws {
        let full = folder.file("full")
        try FileManager.default.createSymbolicLink(atPath: full, withDestinationPath: "/dev/full")
        #expect(throws: JournalError.self) { try Journal.open(existing: full) }  // a link is never followed
        #expect(throws: JournalError.self) { try Journal.create(at: folder.file("missing/journal.jsonl")) }
    }

    @Test func remedyQuotesWhatAShellWouldRead() {
        #expect(Undo.removeFolder(path: "/tmp/it's a").remedy == #"rm -rf '/tmp/it'\''s a'"#)
        #expect(Undo.program(arguments: ["iptables", "-D", ""], verify: []).remedy == "iptables -D ''")
    }
}
