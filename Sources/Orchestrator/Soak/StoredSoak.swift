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
