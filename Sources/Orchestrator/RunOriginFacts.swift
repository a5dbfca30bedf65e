import Glibc
import HostSystem
import RigModel

/// Where this run comes from: the source that is tested, and the machine. For the report's `environment`.
enum RunOriginFacts {
    /// What build services say of the commit they build, in the order in which they are asked: GitHub, Forgejo and Gitea; GitLab;
    /// Buildkite; CircleCI; Jenkins; Travis; Bitbucket; Drone and Woodpecker; Azure; TeamCity; Semaphore.
    static let commitVariables = [
        "GITHUB_SHA", "CI_COMMIT_SHA", "BUILDKITE_COMMIT", "CIRCLE_SHA1", "GIT_COMMIT", "TRAVIS_COMMIT",
        "BITBUCKET_COMMIT", "DRONE_COMMIT_SHA", "BUILD_SOURCEVERSION", "BUILD_VCS_NUMBER", "SEMAPHORE_GIT_SHA",
    ]

    /// Takes the time of two calls of git; five seconds at most for each.
    static func collect() async -> [JSONValue.Member] {
        let source = await source(currentEnvironment(), head: { await git(["rev-parse", "--verify", "HEAD"]) }) {
            // A repository may name a program that watches its files: nothing of it is run for a look.
            await git(["-c", "core.fsmonitor=false", "status", "--porcelain", "--untracked-files=no"])
        }
        return source + [
            .init("host", JSONValue(hostName())), .init("cpu", JSONValue(cpu(SmallFile.text("/proc/cpuinfo") ?? ""))),
            .init("build", .string(build)),
        ]
    }

    /// - Parameters:
    ///   - head: the commit that is checked out; `nil`: not a repository, or no git.
    ///   - changes: what differs from it; empty: nothing.
    static func source(
        _ environment: [String: String], head: () async -> String?, changes: () async -> String?
    ) async -> [JSONValue.Member] {
        let told = commitVariables.lazy.compactMap { environment[$0] }.first { isCommit($0) }
        let head = await head().flatMap { isCommit($0) ? $0 : nil }
        // What is checked out may be another repository than the one that is built.
        let changed = head != nil && (told == nil || told == head) ? await changes() : nil
        return [
            .init("commit", JSONValue(told ?? head)),
            .init("commit_dirty", changed.map { .bool(!$0.isEmpty) } ?? .null),
        ]
    }

    private static func isCommit(_ text: String) -> Bool {
        (7...64).contains(text.count)
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
            }
    }

    private static func git(_ arguments: [String]) async -> String? {
        guard let path = findProgram("git") else { return nil }
        let result = try? await runProgram(path: path, arguments: arguments, timeout: .seconds(5))
        guard let result, result.exitCode == 0 else { return nil }
        var text = result.standardOutput
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }

    private static func hostName() -> String? {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return nil }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The processor's name, as far as it has one.
    static func cpu(_ text: String) -> String? {
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].split(separator: "\t").first == "model name" else { continue }
            return parts[1].split(separator: " ").joined(separator: " ")
        }
        return nil
    }

    /// An unoptimised rig is slower than an optimised one.
    private static var build: String {
        #if DEBUG
            "debug"
        #else
            "release"
        #endif
    }
}
