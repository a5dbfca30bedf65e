import Benchmarks
import Glibc
import HostSystem
import RigModel

enum BenchCommand: Command {
    static let name = "bench"
    static let summary = "measure the pool and its drivers"
    static let options: [OptionSpec] = [.value("--loops", "N"), .value("--depth", "N")]
    static let help = """
        Usage: chaosrig bench peer SCEN OP WORKERS POOL SECS|ROWS
        """

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        do throws(BenchError) {
            var words = arguments.positional
            guard !words.isEmpty else { throw BenchError.usage("peer") }
            let topic = words.removeFirst()
            let call = try PeerCall(words: words)
            var tuning = PeerCall.Tuning(loops: Int(arguments.value("--loops") ?? "4") ?? 4)
            tuning.depth = Int(arguments.value("--depth") ?? "100") ?? 100
            let dsn = currentEnvironment()["DSN"] ?? "host=127.0.0.1 port=55432 user=postgres dbname=postgres"
            if topic == "limit" { Output.line(try await BenchLimit(call, tuning: tuning, dsn: dsn).run().json.compactText); return 0 }
            Output.line(try await BenchPeer(call, tuning: tuning, dsn: dsn).run().json.compactText)
            return 0
        } catch {
            if case .usage(let words) = error { throw UsageError(words) }
            Output.error("\(error)")
            return error.exitCode
        }
    }
}
