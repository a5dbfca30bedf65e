import Glibc
import HostSystem
import RigTestSupport
import Testing

@testable import Orchestrator

/// What becomes of a window's history; never is the only evidence lost.
struct WindowHistoryTests {
    private let folder: TemporaryFolder
    private var history: String { folder.file("history.jsonl") }
    private var excerpt: String { folder.file("excerpt.jsonl") }

    init() throws {
        folder = try TemporaryFolder()
        _ = try SyntheticHistory.write(operations: 3000, to: history)
    }

    private func condense(keepsAll: Bool = false) async -> WindowHistory.Kept {
        let history = history
        return await onOwnThread("condense") { WindowHistory(history).condense(keepsAll: keepsAll, around: []) }
    }

    @Test func excerptTakesItsPlace() async {
        let kept = await condense()
        #expect(kept.problem == nil && kept.kept > 0 && kept.kept < kept.written)
        #expect(!SmallFile.exists(history) && SmallFile.size(excerpt) == kept.kept)
    }

    @Test func allOfItStays() async {
        let kept = await condense(keepsAll: true)
        #expect(kept.problem == nil && kept.kept == kept.written)
        #expect(SmallFile.exists(history) && !SmallFile.exists(excerpt))
    }

    @Test func historyStaysWhereTheDiskIsFull() async {
        symlink("/dev/full", excerpt)
        let kept = await condense()
        #expect(kept.problem?.contains("no excerpt could be made: write to") == true, "\(kept)")
        #expect(kept.kept == kept.written && SmallFile.size(history) == kept.written)
        #expect(!SmallFile.exists(excerpt))
    }

    @Test func historyStaysWhereNoExcerptCanBeMade() async throws {
        try SmallFile.makeFolder(excerpt)
        let kept = await condense()
        #expect(kept.problem?.contains("no excerpt could be made: create") == true, "\(kept)")
        #expect(SmallFile.size(history) == kept.written)
    }

    @Test func historyThatCannotBeReadStays() async throws {
        let bytes = try #require(SmallFile.bytes(history))
        try SmallFile.write(Array(bytes.dropLast(10)), to: history)
        let kept = await condense()
        #expect(kept.problem?.contains("cannot be read again") == true)
        #expect(SmallFile.size(history) == kept.written && !SmallFile.exists(excerpt))
    }
}
