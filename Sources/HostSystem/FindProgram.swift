import Glibc

/// The folders that hold administration programs and are often missing from an ordinary user's PATH.
package let administrationFolders = ["/usr/sbin", "/sbin", "/usr/local/sbin"]

/// The absolute path of a program on PATH, or in the administration folders; `nil` when there is none that this process
/// may execute.
package func findProgram(_ name: String) -> String? {
    let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
    return findProgram(name, in: path.split(separator: ":").map(String.init) + administrationFolders)
}

/// The first executable file of that name in these folders. Relative folders are passed over: what they hold depends on
/// where the rig was started.
package func findProgram(_ name: String, in folders: [String]) -> String? {
    folders.lazy.filter { $0.hasPrefix("/") }.map { "\($0)/\(name)" }.first(where: isExecutableFile)
}

/// A regular file that this process may execute.
package func isExecutableFile(_ path: String) -> Bool {
    var info = stat()
    return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
}
