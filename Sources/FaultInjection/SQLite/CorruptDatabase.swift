package import RigModel

/// Pages of the SQLite database are damaged: SQLITE_CORRUPT, or SQLITE_NOTADB for the first page. They are damaged on their
/// way from the file to the pool's connections, in a way that SQLite always notices; the file stays as it is, and no damaged
/// page gets back to it. A connection may keep a damaged page in its cache after the fault has ended.
///
/// Landed: pages that were damaged when they were read.
package struct CorruptDatabase: Fault {
    package static let shape = Shape(
        name: "corrupt-database", summary: "pages of the SQLite database are damaged when they are read",
        parameters: CallChoice.parameters, isLasting: true)

    private let parameters: Parameters

    package init(_ parameters: Parameters) { self.parameters = parameters }

    package static func problems(with parameters: Parameters, on target: TargetTraits) -> [ParameterProblem] {
        CallChoice.problems(with: parameters)
    }

    package var needs: Set<StagePart> { [.file] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "damaged pages" + CallChoice.words(parameters) }
    package func makeInjection(seed: UInt64) -> any Injection {
        var disturbance = FileDisturbance(.spoil, on: .read)
        CallChoice.apply(parameters, seed: seed, to: &disturbance)
        return FileCallsInjection([disturbance], provenBy: "pages that were damaged")
    }
}
