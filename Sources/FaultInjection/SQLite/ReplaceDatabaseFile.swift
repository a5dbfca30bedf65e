package import RigModel
import Threading

/// The name of the SQLite database leads to another file: somebody restored a backup, or deployed over it. Open connections
/// go on with the file that they have, which is no longer the database; those that are opened meanwhile get a copy that can
/// only be read, and keep it when the original is back. Nobody is told; only who looks at the name sees it.
///
/// The pool's connections are led elsewhere when they look up the name, instead of a file being renamed over another: the
/// same for them, and a run that is killed leaves everything in its place.
///
/// Landed: a connection of the pool is open on the copy.
package struct ReplaceDatabaseFile: Fault {
    package static let shape = Shape(
        name: "replace-database-file",
        summary: "the name of the SQLite database leads to a copy that can only be read, and back", isLasting: true)

    package init(_ parameters: Parameters) {}

    package var needs: Set<StagePart> { [.file] }
    package var claims: Set<Claim> { [.databaseFile] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "a copy in its place" }
    package func makeInjection(seed: UInt64) -> any Injection { ReplacedFile() }

    private actor ReplacedFile: Injection {
        private var first: Replacement?
        private var isHealed = false

        func inject(on stage: FaultStage) async throws {
            first = try await stage.needed(stage.file, .file).replace()
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let file = stage.file, let first else {
                return Landing(landed: false, evidence: ["reason": "no file"])
            }
            return await untilProven(isHealed: { isHealed }) {
                let facts: [JSONValue.Member] = [
                    .init("original_inode", JSONValue(first.originalInode)), .init("inode", JSONValue(first.inode)),
                    .init("descriptors_on_the_original", JSONValue(first.stale)),
                ]
                let opened = file.openOnReplacement()
                if opened > 0, first.inode != first.originalInode {
                    return Landing(
                        landed: true, evidence: .object(facts + [.init("descriptors_on_the_copy", JSONValue(opened))]))
                }
                let reason = JSONValue.string("no connection of the pool was opened on the copy")
                return Landing(landed: false, evidence: .object(facts + [.init("reason", reason)]))
            }
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            let file = try stage.needed(stage.file, .file)
            isHealed = true
            let now = try await file.restore()
            guard now.inode == now.originalInode, first.map({ $0.originalInode == now.originalInode }) ?? true else {
                throw InjectionError("the name leads to inode \(now.inode), the original was \(now.originalInode)")
            }
            return ["inode": JSONValue(now.inode), "descriptors_on_the_copy": JSONValue(now.stale)]
        }
    }
}
