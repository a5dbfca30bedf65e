/// What a PostgreSQL server writes into `postmaster.pid` (the order of lines since version 10: `src/include/utils/pidfile.h`).
package struct PostmasterFile: Sendable, Equatable {
    package let pid: Int32
    /// The System V segment by which the server guards its data directory; `nil` early in a start.
    package let sharedMemoryID: Int32?
    /// `starting`, `stopping`, `ready` or `standby`; `nil` early in a start.
    package let status: String?

    /// - Returns: `nil` when there is not even a pid: the file is about to be written.
    package init?(text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let first = lines.first, let pid = Int32(first.trimmed) else { return nil }
        self.pid = pid
        sharedMemoryID = lines.count > 6 ? lines[6].split(separator: " ").last.flatMap { Int32($0) } : nil
        status = lines.count > 7 ? (lines[7].trimmed.isEmpty ? nil : lines[7].trimmed) : nil
    }

    package static func path(in dataDirectory: String) -> String { "\(dataDirectory)/postmaster.pid" }

    /// The file of a data directory; `nil` when there is none: the server was never started, or stopped in order.
    package static func read(in dataDirectory: String) -> PostmasterFile? {
        SmallFile.text(path(in: dataDirectory)).flatMap(PostmasterFile.init(text:))
    }
}

extension Substring {
    /// Without white space at both ends.
    fileprivate var trimmed: String {
        var rest = drop(while: \.isWhitespace)
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
