import RigModel

extension RunReport {
    /// Why a run whose verdict is valid is not green all the same, in words that follow the verdict's; `nil`: it is green, or its
    /// verdict says so.
    var doubt: String? {
        guard verdict == .valid, exitCode != 0 else { return nil }
        return (exitCode == 5 ? "but something was left behind: " : "but it ended with ") + "exit code \(exitCode)"
    }

    /// The verdict by which a report is marked at first sight.
    var mark: Verdict { doubt == nil ? verdict : .unknown }
}
