import HostSystem
import Reporting

/// `--junit FILE`: one file with the results of all scenarios.
struct JUnitFile {
    private let path: String

    /// `nil` without the option.
    ///
    /// - Throws: ``UsageError`` when it cannot be written: nobody wants to know that after an hour of runs.
    static func named(in arguments: ParsedArguments) throws(UsageError) -> JUnitFile? {
        guard let path = arguments.value("--junit") else { return nil }
        do throws(SystemError) { try SmallFile.tryToWrite(path) } catch {
            throw UsageError("--junit: \(path) cannot be written: \(errorText(error.code))")
        }
        return JUnitFile(path: path)
    }

    /// - Returns: it is written; if not, that was said.
    func write(_ results: [JUnit.Run]) -> Bool {
        do {
            try SmallFile.write(Array(JUnit.encode(runs: results).utf8), to: path)
            return true
        } catch {
            Output.error("chaosrig: cannot write \(path): \(error)")
            return false
        }
    }
}
