package import RigModel

/// Where a run comes from: which source, which machine, which server. As the report's `environment` has it.
package struct RunOrigin: Sendable, Equatable {
    /// The full name of the commit; `nil` when nobody knows.
    package var commit: String?
    /// The working copy had changes beside the commit.
    package var isDirty: Bool?
    package var host: String?
    package var cpu: String?
    package var machine: String?
    package var cores: Int?
    package var kernel: String?
    package var server: String?
    package var rig: String?
    /// `release` or `debug`.
    package var build: String?

    package init(_ environment: JSONValue) {
        func text(_ key: String) -> String? { environment[key]?.stringValue }
        commit = text("commit")
        isDirty = environment["commit_dirty"]?.boolValue
        host = text("host")
        cpu = text("cpu")
        machine = text("machine")
        cores = environment["cores"]?.intValue.map(Int.init)
        kernel = text("kernel")
        server = text("server") ?? text("sqlite")
        rig = text("chaosrig")
        build = text("build")
    }

    package init() { self.init(.null) }

    /// `1a2b3c4d5e+` with a plus for changes beside the commit; `nil` when nobody knows.
    package var shortCommit: String? { commit.map { String($0.prefix(10)) + (isDirty == true ? "+" : "") } }

    var isKnown: Bool { machineWords != Self.unknown }
    private static let unknown = "unknown machine"

    /// What makes two runs' numbers comparable, in words; the same words mean comparable. Not the host's name: build services
    /// have a new one each time. Not the commit, the kernel or the version of the rig: their drift is what one wants to see.
    var machineWords: String {
        var words = [cores.map { "\($0) cores" }, cpu ?? machine, server]
        if build == "debug" { words.append("debug build") }
        let known = words.compactMap { $0 }
        return known.isEmpty ? Self.unknown : known.joined(separator: ", ")
    }
}
