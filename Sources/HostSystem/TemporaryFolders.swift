import Glibc

/// Where the rig may put folders, and remove them.
package enum TemporaryFolders {
    /// What every folder of the rig begins with.
    package static let prefix = "chaosrig-"

    /// `$TMPDIR`, or `/tmp`.
    package static var preferred: String {
        guard let folder = getenv("TMPDIR").map({ String(cString: $0) }), folder.hasPrefix("/") else { return "/tmp" }
        return folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    }

    /// Every folder that counts as temporary, without symbolic links, each once.
    package static var all: [String] {
        var folders: [String] = []
        for folder in [preferred, "/tmp", "/var/tmp"].compactMap(SmallFile.realPath) where !folders.contains(folder) {
            folders.append(folder)
        }
        return folders
    }

    /// Why the rig must not remove this path, or `nil` when it may: it lies below a temporary folder, and one part of it
    /// below that carries the rig's prefix.
    package static func refusal(toRemove path: String, temporary: [String] = all) -> String? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard path.hasPrefix("/"), !parts.isEmpty, parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else {
            return "\(path) is not a plain absolute path"
        }
        // The parent, resolved: a symbolic link on the way must not lead out. The last part is never followed.
        guard let parent = SmallFile.realPath(parentFolder(of: path)), let name = parts.last else {
            return nil  // the parent does not exist, so there is nothing to remove
        }
        let real = "\(parent)/\(name)"
        let isBelow = temporary.contains { folder in
            real.hasPrefix(folder + "/")
                && real.dropFirst(folder.count).split(separator: "/").contains { $0.hasPrefix(prefix) }
        }
        return isBelow
            ? nil : "\(real) is not a folder of the rig: those are below a temporary folder and named \(prefix)…"
    }
}
