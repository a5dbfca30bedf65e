import Glibc
import HostSystem

/// The harnesses of other pools, built beforehand into one folder: `pqbench`, `poolbench` and `HikariBench.class`.
package struct PeerPrograms: Sendable {
    package enum Name: String, Sendable, Hashable, CaseIterable {
        case libpq = "libpq-c"
        case hikari
        case pgxpool
        case databaseSQL = "sql-libpq"
        case goSQLite = "sql-sqlite3"
    }

    private let folder: String
    /// Where the Java libraries are.
    private let libraries: String

    /// - Throws: ``BenchError/missing(_:)`` when the folder lacks a program.
    package init(folder: String, environment: [String: String] = currentEnvironment()) throws(BenchError) {
        self.folder = folder
        libraries = environment["JLIB"] ?? "/usr/share/java"
        let missing = ["pqbench", "poolbench", "HikariBench.class"].filter { !SmallFile.exists("\(folder)/\($0)") }
        guard missing.isEmpty else {
            throw .missing(
                "\(folder) has no \(missing.joined(separator: ", ")): it must hold the peers' harnesses, built by "
                    + "build.sh with OUT=\(folder)")
        }
    }

    /// How one of them measures a call.
    ///
    /// - Parameter warmUpSeconds: for the compiler of Java; with too little HikariCP reads several times too low.
    /// - Returns: `nil` when it cannot.
    func invocation(_ name: Name, _ call: PeerCall, depth: Int, warmUpSeconds: Int) -> (
        path: String, arguments: [String], environment: [String: String]
    )? {
        let words = call.words
        switch name {
        case .libpq:
            guard let arguments = Self.libpqArguments(call, depth: depth) else { return nil }
            return ("\(folder)/pqbench", arguments, [:])
        case .pgxpool, .databaseSQL, .goSQLite:
            return ("\(folder)/poolbench", [name.rawValue] + words, [:])
        case .hikari:
            guard let java = findProgram("java") else { return nil }
            let jars = ["HikariCP", "postgresql", "slf4j-api", "slf4j-nop"].map { "\(libraries)/\($0).jar" }
            return (
                java, ["-Xmx3g", "-cp", (jars + [folder]).joined(separator: ":"), "HikariBench"] + words,
                ["WARM": "\(warmUpSeconds)"]
            )
        }
    }

    /// A connection per thread: with more workers than connections only the connections count.
    private static func libpqArguments(_ call: PeerCall, depth: Int) -> [String]? {
        let threads = "\(min(call.workers, max(1, call.pool)))"
        let amount = call.words[4]
        switch call.scenario {
        case .acquire: return ["acq", "-", "\(call.workers)", "\(call.pool)", amount]
        case .query: return ["q", call.operation, threads, threads, amount]
        case .pipeline: return ["pipe", call.operation, threads, threads, amount, "\(depth)"]
        case .connect: return ["connect", call.operation, "\(call.workers)", "0", amount]
        case .bulk: return ["bulk", call.operation, amount]
        default: return nil
        }
    }
}
