package import Glibc

/// The user that a program runs as.
package struct ProcessUser: Sendable, Equatable {
    package let name: String
    package let uid: uid_t
    package let gid: gid_t

    package init(name: String, uid: uid_t, gid: gid_t) {
        self.name = name
        self.uid = uid
        self.gid = gid
    }

    /// The user of that name, or `nil` when this machine has none.
    package static func named(_ name: String) -> ProcessUser? {
        var record = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16 << 10)
        guard getpwnam_r(name, &record, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        return ProcessUser(name: name, uid: record.pw_uid, gid: record.pw_gid)
    }
}
