import HostSystem

/// A temporary folder, removed by ``remove()``. When this process dies first, `chaosrig heal` removes it.
package struct BenchFolder: Sendable {
    package let path: String

    /// - Parameter journal: the name of a journal in the folder, for whoever finds the folder of a dead process.
    package init(journal: String? = nil, in parent: String? = nil) throws(BenchError) {
        path = "\(parent ?? TemporaryFolders.preferred)/\(TemporaryFolders.prefix)bench-\(RunScratch.newRunID())"
        do {
            try SmallFile.makeFolder(path)
            try RunOwner(journal: journal.map { [path] in "\(path)/\($0)" }).write(in: path)
        } catch {
            throw .missing("cannot make a temporary folder: \(error)")
        }
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    package func remove() throws(BenchError) {
        do { try Undoer().perform(.removeFolder(path: path)) } catch { throw .failed("\(error)") }
    }
}
