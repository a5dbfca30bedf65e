package import RigModel

/// The disk of the SQLite database is full: writes fail with SQLITE_FULL.
///
/// Landed: writes of the pool's connections that failed.
package struct SQLiteDiskFull: Fault {
    package static let shape = Shape(
        name: "sqlite-disk-full", summary: "writes to the SQLite database find the disk full",
        parameters: CallChoice.parameters, isLasting: true)

    private let parameters: Parameters

    package init(_ parameters: Parameters) { self.parameters = parameters }

    package static func problems(with parameters: Parameters, on target: TargetTraits) -> [ParameterProblem] {
        CallChoice.problems(with: parameters)
    }

    package var needs: Set<StagePart> { [.file] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "disk full" + CallChoice.words(parameters) }
    package func makeInjection(seed: UInt64) -> any Injection {
        var disturbance = FileDisturbance(.diskFull, on: .write)
        CallChoice.apply(parameters, seed: seed, to: &disturbance)
        return FileCallsInjection([disturbance], provenBy: "writes that failed")
    }
}
