package import RigModel

/// Another process takes the write lock of the embedded database and gives it up, again and again: a writer that is busy.
///
/// Landed: as `lock-database`.
package struct BusyStorm: Fault {
    package static let shape = Shape(
        name: "busy-storm", summary: "another process takes and gives up the write lock again and again (SQLite)",
        parameters: [
            Parameter(
                "hold", .duration, default: .duration(.milliseconds(300)), summary: "how long it has the lock each time"
            ),
            Parameter(
                "every", .duration, default: .duration(.milliseconds(400)),
                summary: "from one time to the next; never earlier than the lock was given up"),
        ], isLasting: true)

    private let hold: Duration
    private let every: Duration

    package init(_ parameters: Parameters) {
        hold = parameters.duration("hold") ?? .milliseconds(300)
        every = parameters.duration("every") ?? .milliseconds(400)
    }

    package static func problems(with parameters: Parameters, on target: TargetTraits) -> [ParameterProblem] {
        parameters.zeroProblems("hold")
    }

    package var needs: Set<StagePart> { [.file] }
    package var claims: Set<Claim> { [.databaseFile] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "write lock held \(hold.words) of every \(every.words)" }
    package func makeInjection(seed: UInt64) -> any Injection {
        FileProcessInjection(.takeWriteLock(hold: hold, every: every))
    }
}
