import Glibc
import HostSystem

/// A temporary folder for one test, removed with everything in it when the object goes away; processes that still have
/// it in their command line are killed. When the test process dies first, the next one that starts a server removes it.
package final class TemporaryFolder: Sendable {
    package let path: String

    /// - Throws: when it cannot be made.
    package convenience init() throws { try self.init(journal: nil) }

    /// - Parameter journal: the name of a journal in the folder, for whoever finds the folder of a dead process.
    init(journal: String?) throws {
        let path = "\(TemporaryFolders.preferred)/\(TemporaryFolders.prefix)test-\(RunScratch.newRunID())"
        try SmallFile.makeFolder(path)
        self.path = path
        try RunOwner(journal: journal.map { "\(path)/\($0)" }).write(in: path)
    }

    deinit { remove() }

    /// The path of something in the folder.
    package func file(_ name: String) -> String { "\(path)/\(name)" }

    func remove() {
        do { try Undoer().perform(.removeFolder(path: path)) } catch { complain("\(error)") }
    }
}

/// Tells whoever runs the tests that something stayed behind; a test that is over cannot fail any more.
func complain(_ problem: String) {
    let line = Array("chaosrig tests: \(problem)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
}
