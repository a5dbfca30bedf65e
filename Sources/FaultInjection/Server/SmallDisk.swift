import Glibc
import HostSystem
import RigModel

/// A file system in memory, of a given size, in the server's folder. Its undo is in the journal before it is mounted.
struct SmallDisk: Sendable {
    private static let programLimit = Duration.seconds(30)

    let path: String
    private let entry: Int

    /// Mounts it for the server's user.
    ///
    /// - Throws: ``InjectionError`` where the rig may not.
    static func mount(_ name: String, bytes: Int, on stage: FaultStage) async throws -> SmallDisk {
        let place = try await stage.needed(stage.server, .server).place
        let path = "\(place.folder)/\(name)"
        let disk = SmallDisk(path: path, entry: try stage.journal.willChange(.unmount(path: path)))
        do {
            try await run(["mkdir", "-p", path], on: stage)
            let options = "size=\(bytes),mode=0700,uid=\(place.user),gid=\(place.group)"
            try await run(["mount", "-t", "tmpfs", "-o", options, "chaosrig", path], on: stage)
        } catch {
            try? await disk.unmount(on: stage)
            throw error
        }
        return disk
    }

    /// Takes it away, with what is on it, and its folder.
    func unmount(on stage: FaultStage) async throws {
        let path = path
        try await onOwnThread(
            "unmount",
            throwing: { () throws(UndoFailure) in
                try Undoer().perform(.unmount(path: path))
            })
        try await Self.run(["rm", "-rf", path], on: stage)
        try stage.journal.didUndo(entry)
    }

    /// Fills this share of what is free.
    ///
    /// - Returns: how many bytes that took.
    func fill(_ share: Double) async throws -> Int {
        try await onOwnThread("fill disk", throwing: { () throws(InjectionError) in try fillBlocking(share) })
    }

    private func fillBlocking(_ share: Double) throws(InjectionError) -> Int {
        var info = statvfs()
        guard statvfs(path, &info) == 0 else { throw InjectionError("cannot look at \(path): errno \(errno)") }
        let free = Int(info.f_bavail) * Int(info.f_frsize)
        let wanted = share >= 1 ? Int.max : Int(share * Double(free))
        let descriptor = open(ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw InjectionError("cannot write to \(path): errno \(errno)") }
        defer { close(descriptor) }
        // A page at a time: the file system's own unit, so that nothing is left.
        let page = [UInt8](repeating: 0, count: 4096)
        var written = 0
        while written < wanted {
            let count = write(descriptor, page, page.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            written += count
        }
        return written
    }

    func empty() async {
        let ballast = ballast
        _ = await onOwnThread("empty disk") { unlink(ballast) }
    }

    private var ballast: String { "\(path)/chaosrig-ballast" }

    /// Runs a program of the system.
    ///
    /// - Throws: ``InjectionError`` when it fails.
    /// - Returns: what it wrote.
    @discardableResult
    static func run(_ arguments: [String], on stage: FaultStage) async throws -> String {
        guard let programs = stage.programs else { throw InjectionError("this target runs no programs") }
        let (exitCode, output) = try await programs.run(arguments, within: programLimit)
        guard exitCode == 0 else {
            throw InjectionError("\(arguments.joined(separator: " ")) ended with \(exitCode): \(output.suffix(300))")
        }
        return output
    }
}
