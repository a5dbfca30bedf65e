import Foundation
import HostSystem
package import Reporting
import RigModel

/// A soak's folder, as it lies there.
package enum StoredSoak {
    static let lockName = "soak.lock"
    private static let logName = "soak.json"

    package static func isSoak(_ folder: String) -> Bool { SmallFile.isPlain("\(folder)/\(logName)") }

    /// - Throws: ``RunError/usage(_:)``
    package static func read(_ folder: String) throws(RunError) -> SoakLog {
        let file = "\(folder)/\(logName)"
        guard let bytes = SmallFile.bytes(file) else {
            throw .usage("\(folder) holds no soak: \(file) cannot be read. Name the folder that the soak printed")
        }
        guard let json = try? JSONValue(parsing: bytes), let log = SoakLog(json) else {
            throw .usage("\(file) is no soak of this version of chaosrig; begin a new one without --resume")
        }
        return log
    }

    /// `report.html` of the soak, made anew from what is known of it.
    ///
    /// - Throws: ``RunError/usage(_:)``
    package static func page(_ folder: String) throws(RunError) -> String { SoakPage.render(try read(folder)) }

    /// The command that runs a window of this soak again; of the first one that is not valid, where the folder is that of the whole.
    ///
    /// - Parameter folder: of a soak, or of one of its windows.
    /// - Returns: `nil`: it is neither.
    package static func replay(_ folder: String) -> String? {
        let path = SmallFile.realPath(folder) ?? folder
        let soak = isSoak(path) ? path : parentFolder(of: parentFolder(of: path))
        guard isSoak(soak), let log = try? read(soak) else { return nil }
        let window =
            soak == path
            ? log.windows.first { $0.verdict == .invalid } ?? log.windows.first
            : log.windows.first { path == "\(soak)/\(SoakWindow.folder($0.number))" }
        return "chaosrig run \(soak)/scenario.yaml --seed \(window.map { "\($0.seed)" } ?? "WINDOWSEED")"
    }

    /// The scenario of a soak, where the folder is that of one of its windows.
    static func scenario(ofWindow folder: String) -> String? {
        soak(ofWindow: SmallFile.realPath(folder) ?? folder).map { "\($0)/scenario.yaml" }
    }

    private static func soak(ofWindow path: String) -> String? {
        let windows = parentFolder(of: path)
        let soak = parentFolder(of: windows)
        return windows == "\(soak)/windows" && isSoak(soak) ? soak : nil
    }

    /// Why a soak, or a window of which no whole history is kept, cannot be judged again, and what can be done.
    ///
    /// - Returns: `nil`: it is neither.
    static func notToJudge(_ folder: String) -> String? {
        let path = SmallFile.realPath(folder) ?? folder
        let again = replay(folder).map { " To run one again: \($0)" } ?? ""
        if isSoak(path) {
            let whole = (try? read(path))?.windows.map { "\(folder)/\(SoakWindow.folder($0.number))" }.first {
                SmallFile.exists("\($0)/history.jsonl")
            }
            return "\(folder) is a soak, which is judged window by window: "
                + (whole.map { "name one whose history is kept whole, for example \($0)." }
                    ?? "no window's history is kept whole, so there is nothing to judge again.") + again
        }
        guard soak(ofWindow: path) != nil else { return nil }
        return
            "\(folder) is a window of a soak, and its history is not kept whole (at most excerpt.jsonl): it cannot be judged "
            + "again.\(again.replacing("run one", with: "run it"))"
    }

    /// Whether a process runs it now.
    static func isRunning(_ folder: String) -> Bool { ProcessLock.isHeld("\(folder)/\(lockName)") }

    /// Holds the folder for this process.
    ///
    /// - Throws: ``RunError/usage(_:)`` when another process runs the soak.
    static func lock(_ folder: String) throws(RunError) -> ProcessLock {
        do throws(ProcessLock.Refusal) {
            return try ProcessLock.take("\(folder)/\(lockName)")
        } catch {
            switch error {
            case .held(let pid):
                let process = pid.map { "process \($0)" } ?? "another process"
                throw .usage(
                    "\(folder) is a soak that \(process) runs now: wait for its end, or end it"
                        + (pid.map { " (kill -INT \($0))" } ?? "") + ", and go on with it then")
            case .failed(let error): throw .cannotProceed("the soak's folder cannot be locked: \(error)")
            }
        }
    }
}
