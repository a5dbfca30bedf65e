package import Foundation
import HostSystem

/// The folder that a run leaves: `runs/<name>/<UTC time>-<seed>/`, with a `latest` link beside it.
package struct RunFolder: Sendable {
    /// Absolute path.
    package let path: String
    private let latestLink: String

    /// Creates the folder.
    ///
    /// - Parameters:
    ///   - out: what takes the place of `runs/`.
    ///   - name: the scenario's name.
    ///   - startedAt: UTC, as in ``RunFolder/timestamp(_:)``.
    /// - Throws: ``RunError/usage(_:)`` with the path and the system's reason.
    package init(out: String, name: String, startedAt: Date, seed: UInt64) throws(RunError) {
        let root = URL(fileURLWithPath: out).standardizedFileURL.appendingPathComponent(name)
        let base = "\(Self.folderTimestamp(startedAt))-\(seed)"
        do throws(SystemError) {
            try SmallFile.makeFolders(root.path)
            // Two runs of the same second and seed: the second one gets a number.
            for attempt in 1...100 {
                let folder = root.appendingPathComponent(attempt == 1 ? base : "\(base)-\(attempt)")
                if mkdir(folder.path, 0o755) == 0 {
                    path = folder.path
                    latestLink = root.appendingPathComponent("latest").path
                    return
                }
                guard errno == EEXIST else { throw SystemError(folder.path) }
            }
        } catch {
            let reason =
                error.code == ENOTDIR
                ? "\(error.attempt) is not a folder" : "\(error.attempt): \(errorText(error.code))"
            throw .usage("cannot create the run folder in \(root.path): \(reason); choose another with --out")
        }
        throw .usage("\(root.path) already has a hundred runs of this second; choose another folder with --out")
    }

    /// One that exists.
    init(existing path: String) {
        let url = URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath()
        self.path = url.path
        latestLink = url.deletingLastPathComponent().appendingPathComponent("latest").path
    }

    package func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file whole or not at all.
    package func write(_ text: String, to name: String) throws(RunError) {
        do throws(SystemError) { try SmallFile.replace(file(name), with: Array(text.utf8)) } catch {
            throw .cannotProceed("cannot write \(file(name)): \(errorText(error.code))")
        }
    }

    /// Points `latest` at this run. A link that cannot be made is no reason to fail a run.
    package func linkLatest() {
        let temporary = "\(latestLink).\(getpid())"
        unlink(temporary)
        guard symlink((path as NSString).lastPathComponent, temporary) == 0 else { return }
        if rename(temporary, latestLink) != 0 { unlink(temporary) }
    }

    private static func folderTimestamp(_ date: Date) -> String {
        timestamp(date).filter { $0 != "-" && $0 != ":" }
    }

    /// RFC 3339 in UTC, to the second.
    package static func timestamp(_ date: Date) -> String {
        date.formatted(.iso8601)
    }
}
