import Glibc
import HostSystem

/// Where the servers of a test process live: one journal and one scratch folder, made when the first is asked for and
/// removed when the process ends. What test processes that died left behind is healed first.
final class TestSite: Sendable {
    let journal: Journal
    let scratch: RunScratch
    private let folder: TemporaryFolder

    /// The site of this process, or why there is none.
    static let shared = Result { try TestSite() }

    private init() throws {
        for run in DeadRun.find() { run.healBlocking().forEach { complain("\($0)") } }
        let name = "journal.jsonl"
        folder = try TemporaryFolder(journal: name)
        journal = try Journal.create(at: folder.file(name))
        scratch = try RunScratch(runID: "test-\(RunScratch.newRunID())", journal: journal)
        atexit {
            guard case .success(let site) = TestSite.shared else { return }
            site.close()
        }
    }

    private func close() {
        let leftovers = journal.undoAllBlocking()
        leftovers.forEach { complain("\($0)") }
        journal.close()
        // With something left the folder stays: its journal tells the next test process what to undo.
        if leftovers.isEmpty { folder.remove() }
    }
}
