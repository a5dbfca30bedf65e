package import RigModel

/// Reading, writing or syncing the SQLite database takes longer, as on a slow or overloaded disk. It blocks the thread that
/// makes the call, which no deadline of SQLite's can end.
///
/// Landed: calls of the pool's connections that were delayed.
package struct SlowIO: Fault {
    package static let shape = Shape(
        name: "slow-io", summary: "reads, writes or syncs of the SQLite database take longer",
        parameters: [
            Parameter("write", .duration, summary: "added to each write; 200ms where none of the three is given"),
            Parameter("read", .duration, summary: "added to each read"),
            Parameter("sync", .duration, summary: "added to each sync (in WAL mode at checkpoints only)"),
        ], isLasting: true)

    private let delays: [(call: FileDisturbance.Call, length: Duration)]

    package init(_ parameters: Parameters) {
        let given = [FileDisturbance.Call.write, .read, .sync].compactMap { call in
            parameters.duration(call.rawValue).map { (call: call, length: $0) }
        }
        delays = given.isEmpty ? [(.write, .milliseconds(200))] : given
    }

    package static func problems(with parameters: Parameters, on target: TargetTraits) -> [ParameterProblem] {
        parameters.zeroProblems("write", "read", "sync")
    }

    package var needs: Set<StagePart> { [.file] }
    package var ownDuration: Duration? { nil }
    package var detail: String {
        delays.map { "each \($0.call.rawValue) takes \($0.length.words) longer" }.joined(separator: ", ")
    }
    package func makeInjection(seed: UInt64) -> any Injection {
        FileCallsInjection(
            delays.map { FileDisturbance(.delay($0.length), on: $0.call) }, provenBy: "calls that were delayed")
    }
}
