import Glibc

/// Small files as bytes or text, without Foundation: files of /proc have no size and change while they are read.
package enum SmallFile {
    /// The whole file, or `nil` when it cannot be read (`errno` says why). Reads at most `limit` bytes.
    package static func bytes(_ path: String, limit: Int = 64 << 20) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while content.count < limit {
            let got = read(descriptor, &chunk, chunk.count)
            if got < 0 && errno == EINTR { continue }
            if got < 0 { return nil }
            if got == 0 { break }
            content.append(contentsOf: chunk[..<got])
        }
        return content
    }

    /// The whole file as UTF-8 text, with replacement characters where it is not.
    package static func text(_ path: String) -> String? {
        bytes(path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Where a symbolic link points to.
    package static func linkTarget(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink(path, &buffer, buffer.count)
        guard count >= 0 else { return nil }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// It is a regular file, also at the end of a link.
    package static func isPlain(_ path: String) -> Bool {
        var info = stat()
        return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFREG
    }

    /// The names in a folder without `.` and `..`, or `nil` when it cannot be listed.
    package static func names(in folder: String) -> [String]? {
        guard let stream = opendir(folder) else { return nil }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    /// The path without symbolic links, `.` and `..`; `nil` when it does not exist.
    package static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Something has this name, be it a link that points nowhere.
    package static func exists(_ path: String) -> Bool {
        var info = stat()
        return lstat(path, &info) == 0
    }

    /// Size in bytes and inode of what this name leads to; `nil` when it does not exist.
    package static func size(_ path: String) -> Int? { status(path).map { Int($0.st_size) } }
    package static func inode(_ path: String) -> UInt64? { status(path).map { UInt64($0.st_ino) } }

    private static func status(_ path: String) -> stat? {
        var info = stat()
        return stat(path, &info) == 0 ? info : nil
    }

    /// Writes a new file, or replaces an old one, and returns once it is on disk.
    package static func write(_ content: [UInt8], to path: String, mode: UInt32 = 0o644) throws(SystemError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw SystemError("create \(path)") }
        defer { close(descriptor) }
        try writeAll(content, to: descriptor, path: path)
        guard fsync(descriptor) == 0 else { throw SystemError("fsync \(path)") }
    }

    /// Writes a file whole or not at all: whoever reads it meanwhile finds the old one.
    package static func replace(_ path: String, with content: [UInt8]) throws(SystemError) {
        let temporary = "\(path).new-\(getpid())"
        do throws(SystemError) {
            try write(content, to: temporary, mode: 0o666)
            guard rename(temporary, path) == 0 else { throw SystemError("write \(path)") }
        } catch {
            unlink(temporary)
            throw SystemError("write \(path)", code: error.code)
        }
    }

    /// Whether ``write(_:to:mode:)`` would find its way, without a trace.
    package static func tryToWrite(_ path: String) throws(SystemError) {
        var info = stat()
        let isThere = lstat(path, &info) == 0
        // A pipe or a device may wait for its other end, or do something.
        let isPlain = info.st_mode & S_IFMT == S_IFREG || info.st_mode & S_IFMT == S_IFDIR
        guard !isThere || isPlain || info.st_mode & S_IFMT == S_IFLNK else { return }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw SystemError("write \(path)") }
        close(descriptor)
        if !isThere { unlink(path) }
    }

    /// Writes every byte, in as few calls as the kernel allows.
    package static func writeAll(_ content: [UInt8], to descriptor: Int32, path: String) throws(SystemError) {
        var done = 0
        while done < content.count {
            let put = content[done...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if put < 0 && errno == EINTR { continue }
            guard put > 0 else { throw SystemError("write to \(path)") }
            done += put
        }
    }

    /// Makes one new folder with exactly this mode.
    package static func makeFolder(_ path: String, mode: UInt32 = 0o700) throws(SystemError) {
        guard mkdir(path, mode) == 0 else { throw SystemError("make folder \(path)") }
        guard chmod(path, mode) == 0 else { throw SystemError("set the mode of \(path)") }
    }

    /// Makes a folder and those above it; one that is there is fine.
    ///
    /// - Throws: ``SystemError`` with the folder that is missing; `ENOTDIR` where a file has its name.
    package static func makeFolders(_ path: String, mode: UInt32 = 0o777) throws(SystemError) {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += made.isEmpty || made.hasSuffix("/") ? String(part) : "/\(part)"
            if mkdir(made, mode) == 0 { continue }
            let code = errno
            // Where the parent cannot be written the folder may be there all the same.
            if let info = status(made) {
                if info.st_mode & S_IFMT == S_IFDIR { continue }
                throw SystemError(made, code: ENOTDIR)
            }
            throw SystemError(made, code: code)
        }
    }

    /// Makes a new name in a folder survive a power cut.
    package static func syncFolder(_ path: String) throws(SystemError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("open folder \(path)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SystemError("fsync folder \(path)") }
    }
}
