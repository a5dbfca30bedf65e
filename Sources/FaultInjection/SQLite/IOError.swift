package import RigModel

/// Calls of SQLite on its files fail, as on a defective disk or a network file system that went away: SQLITE_IOERR, and
/// SQLITE_CANTOPEN for a file that cannot be opened.
///
/// Landed: calls of the pool's connections that failed.
package struct IOError: Fault {
    package static let shape = Shape(
        name: "io-error", summary: "the n-th read, write, sync or open of the SQLite database fails",
        parameters: [
            Parameter(
                "on", .choice(FileDisturbance.Call.allCases.map(\.rawValue)), default: .choice("write"),
                summary:
                    "which calls: open, read (of what a connection has in its cache there is none), write or sync (in "
                    + "WAL mode at checkpoints only)")
        ] + CallChoice.parameters, isLasting: true)

    private let call: FileDisturbance.Call
    private let parameters: Parameters

    package init(_ parameters: Parameters) {
        call = parameters.choice("on").flatMap(FileDisturbance.Call.init) ?? .write
        self.parameters = parameters
    }

    package static func problems(with parameters: Parameters, on target: TargetTraits) -> [ParameterProblem] {
        CallChoice.problems(with: parameters)
    }

    package var needs: Set<StagePart> { [.file] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "each \(call.rawValue) fails" + CallChoice.words(parameters) }
    package func makeInjection(seed: UInt64) -> any Injection {
        var disturbance = FileDisturbance(.ioError, on: call)
        CallChoice.apply(parameters, seed: seed, to: &disturbance)
        return FileCallsInjection([disturbance], provenBy: "\(call.rawValue) calls that failed")
    }
}
