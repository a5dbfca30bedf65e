import EventLoop
import Foundation
import HostSystem
import RigModel
import Threading

/// What a run needs around it: its journal, the process that outlives it, its temp folder, its loops. Everything is given
/// back by ``leave()``.
final class WorkSite: Sendable {
    let runID: String
    let journal: Journal
    let scratch: RunScratch
    let poolLoops: EventLoopGroup
    let rigLoop: EventLoop
    private let watchdog: Watchdog

    /// One for each core, up to four: the load is made on the same threads, and the server needs cores too.
    private static var poolLoopCount: Int { min(4, max(1, ProcessInfo.processInfo.activeProcessorCount)) }

    /// - Parameter journal: its file in the folder; must not exist yet.
    /// - Throws: ``RunError``; whatever was begun is undone then.
    init(folder: RunFolder, runID: String, journal name: String = "journal.jsonl") throws(RunError) {
        self.runID = runID
        do {
            journal = try Journal.create(at: folder.file(name))
            watchdog = try Watchdog.start(journal: journal)
            scratch = try RunScratch(runID: runID, journal: journal)
            poolLoops = try EventLoopGroup(count: Self.poolLoopCount, name: "pool")
            rigLoop = try EventLoop(name: "rig")
        } catch {
            throw .cannotProceed("cannot prepare the run: \(error)")
        }
    }

    /// Undoes what is still open in the journal, and stops the loops and the watchdog.
    ///
    /// - Returns: what could not be undone, in words.
    func leave() async -> [String] {
        let leftovers = await journal.undoAll().map(\.description)
        journal.close()
        _ = await watchdog.finish()
        poolLoops.shutdown()
        rigLoop.shutdown()
        return leftovers
    }
}
