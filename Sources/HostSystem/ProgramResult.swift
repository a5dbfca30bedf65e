/// What a program that ended by itself left.
package struct ProgramResult: Sendable {
    package let status: ProcessEnd
    /// As UTF-8, with replacement characters where it is not.
    package let standardOutput: String
    package let standardError: String
    package let duration: Duration

    package init(status: ProcessEnd, standardOutput: String, standardError: String, duration: Duration) {
        self.status = status
        self.standardOutput = standardOutput
        self.standardError = standardError
        self.duration = duration
    }

    /// `nil` when a signal ended it.
    package var exitCode: Int32? { if case .exited(let code) = status { code } else { nil } }
    /// `nil` when it exited.
    package var signal: Int32? { if case .signalled(let number) = status { number } else { nil } }
    package var succeeded: Bool { status == .exited(0) }
}

/// A program that gave no result. Whatever it started in its process group was killed.
package enum ProgramError: Error, Equatable, CustomStringConvertible {
    /// It could not be started: missing, not executable, no more processes.
    case notStarted(SystemError)
    /// It still ran at the limit. With the end of what it said.
    case timedOut(program: String, limit: Duration, lastOutput: String)
    /// It said more than the limit on one stream.
    case tooMuchOutput(program: String, limitBytes: Int)
    /// The calling task was cancelled.
    case cancelled(program: String)

    package var description: String {
        switch self {
        case .notStarted(let error):
            "\(error)"
        case .timedOut(let program, let limit, let lastOutput):
            "\(program) did not end within \(limit) and was killed"
                + (lastOutput.isEmpty ? "; it had said nothing" : "; its last words: \(lastOutput)")
        case .tooMuchOutput(let program, let limitBytes):
            "\(program) wrote more than \(limitBytes) bytes and was killed"
        case .cancelled(let program):
            "\(program) was killed, because the task that ran it was cancelled"
        }
    }
}
