import Foundation
import HostSystem
import Orchestrator
import Threading

/// Where the program `chaosrig` is, whose processes outlive this one if it is killed, and undo what it did.
struct ProgramSearch: Sendable {
    static let variable = "CHAOSRIG_PROGRAM"

    /// What the environment names.
    var named: String?
    /// Folders of what runs here: a program that was built with it is beside it.
    var folders: [String]
    /// The one on the PATH.
    var onPath: String?

    static var here: ProgramSearch {
        let own = SmallFile.linkTarget("/proc/self/exe").map { [$0] } ?? []
        // Where a helper of the toolchain loads the tests, their own path is an argument.
        let bundles = CommandLine.arguments.filter { $0.contains(".xctest") }
        return ProgramSearch(
            named: ProcessInfo.processInfo.environment[variable],
            folders: (own + bundles).map { ($0 as NSString).deletingLastPathComponent },
            onPath: findProgram("chaosrig"))
    }

    /// - Throws: ``RigError/missing(_:)`` where there is none, with what to do.
    func find(isExecutable: (String) -> Bool = isExecutableFile) throws(RigError) -> String {
        if let named, !named.isEmpty {
            if named.hasPrefix("/"), isExecutable(named) { return named }
            throw .missing("\(Self.variable)=\(named): the absolute path of an executable chaosrig was expected")
        }
        let candidates = folders.map { "\($0)/chaosrig" } + (onPath.map { [$0] } ?? [])
        if let found = candidates.first(where: isExecutable) { return found }
        throw .missing(
            """
            the program chaosrig was not found; a run needs it, to undo what it does if this process is killed. Looked at \
            $\(Self.variable) (not set), \(candidates.isEmpty ? "" : candidates.joined(separator: ", ") + ", ")and the PATH. \
            SwiftPM builds it with the library: `swift build --product chaosrig` in the package of chaosrig, and set \
            \(Self.variable) to the absolute path of the program, or put it on the PATH
            """)
    }
}

/// Finds the program once for this process.
enum ProgramChoice {
    private static let limit = Duration.seconds(30)
    private static let isMade = Lock(false)

    /// - Throws: ``RigError/missing(_:)`` where there is none, or one of another version.
    static func make() async throws(RigError) {
        if isMade.withLock({ $0 }) { return }
        let path = try ProgramSearch.here.find()
        let expected = "chaosrig \(RigVersion.current)"
        let said: String
        do {
            said = try await runProgram(path: path, arguments: ["version"], timeout: limit).standardOutput
                .trimmingCharacters(in: .whitespacesAndNewlines)
        } catch {
            throw .missing("\(path) could not be started: \(error)")
        }
        guard said == expected else {
            throw .missing(
                "\(path) is not the program of this library: \"\(expected)\" was expected from `chaosrig version`, not "
                    + "\"\(said.prefix(100))\". Build both from the same version, or set \(ProgramSearch.variable)")
        }
        RigProgram.use(path)
        isMade.withLock { $0 = true }
    }
}
