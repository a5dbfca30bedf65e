import HostSystem

/// Runs each job in a process of its own, so that none inherits memory, threads or warm caches of another one.
package struct ChildRunner: BenchRunner {
    private let database: BenchDatabase
    private let peers: PeerPrograms?
    /// This program.
    private let executable: String

    package init(database: BenchDatabase, peers: PeerPrograms?, executable: String = "/proc/self/exe") {
        self.database = database
        self.peers = peers
        self.executable = executable
    }

    package func run(_ job: BenchJob) async throws(BenchError) -> BenchRow {
        var environment = currentEnvironment()
        environment["DSN"] = database.dsn
        environment["JDBC"] = database.jdbc
        let path: String
        let arguments: [String]
        switch job.program {
        case .ours: (path, arguments) = (executable, ["bench", "peer"] + job.call.words + job.options.words)
        case .limit: (path, arguments) = (executable, ["bench", "limit"] + job.call.words + job.options.words)
        case .peer(let name):
            guard let peers else {
                throw .missing("\(job): the peers' programs were not named; name their folder with --peers DIR")
            }
            guard
                let invocation = peers.invocation(name, job.call, depth: job.options.depth, warmUpSeconds: 8)
            else {
                throw .missing(
                    name == .hikari
                        ? "\(job): there is no java in PATH; install a Java runtime, or measure without --peers"
                        : "\(job): \(name.rawValue) cannot measure scenario \(job.call.scenario.rawValue); measure without --peers"
                )
            }
            (path, arguments) = (invocation.path, invocation.arguments)
            environment.merge(invocation.environment) { $1 }
        }
        let seconds = job.call.scenario == .bulk ? 120 : job.call.amount + 60
        let result: ProgramResult
        do {
            result = try await runProgram(
                path: path, arguments: arguments, environment: environment, timeout: .seconds(Int(seconds)))
        } catch {
            throw .failed("\(job): \(error)")
        }
        // The last line that is a result: programs may write notices before it.
        let rows = result.standardOutput.split(separator: "\n").compactMap { BenchRow(jsonLine: String($0)) }
        guard result.succeeded, var row = rows.last else {
            throw .failed("\(job) ended with \(result.status) and no result: \(result.standardError.suffix(300))")
        }
        if case .peer = job.program { (row.workers, row.pool) = (job.call.workers, job.call.pool) }
        return row
    }
}
