package import RigModel

extension RunReport {
    /// Why a run whose verdict is valid is not green all the same, in words that follow the verdict's; `nil`: it is green, or its
    /// verdict says so.
    var doubt: String? {
        guard verdict == .valid, exitCode != 0 else { return nil }
        let reason =
            if exitCode != 5 {
                "but it ended with "
            } else if unwritten.isEmpty || notes.contains(where: { $0.hasPrefix("left behind: ") }) {
                "but something was left behind: "
            } else {
                "but its report is not whole: "
            }
        return reason + "exit code \(exitCode)"
    }

    /// `interrupted by SIGINT`; `nil`: it was not.
    package var interruption: String? { notes.first(where: SignalName.isInterruption) }

    private static let unwrittenPrefix = "not in the run folder: "

    /// What of it could not be written, in words.
    package var unwritten: [String] {
        notes.filter { $0.hasPrefix(Self.unwrittenPrefix) }.map { String($0.dropFirst(Self.unwrittenPrefix.count)) }
    }

    /// The verdict stays; a run that would have been green is not: nobody could read why.
    package mutating func noteUnwritten(_ problems: [String]) {
        notes += problems.map { Self.unwrittenPrefix + $0 }
        if exitCode == 0 { exitCode = 5 }
    }

    /// The verdict by which a report is marked at first sight.
    var mark: Verdict { doubt == nil ? verdict : .unknown }
}
