import Benchmarks
import RigModel

/// `chaosrig bench overhead`: what metrics and live progress cost a run.
extension BenchCommand {
    static func overhead(_ options: BenchOptions) async throws(BenchError) {
        Output.error("starting a PostgreSQL server of its own")
        let overhead = try await BenchServer.with { database throws(BenchError) in
            let child = WatchedChild(
                database: database, seconds: options.seconds ?? 3, clients: options.workers ?? 64)
            var overhead = RigOverhead()
            let count = options.rounds ?? 20
            for round in 0..<count {
                Output.error("round \(round + 1) of \(count)")
                var figures: [RigOverhead.Variant: RigRunFigures] = [:]
                for variant in RigOverhead.order(inRound: round) {
                    let run = try await child.run(variant, seed: round)
                    figures[variant] = run
                    if options.isJSON { Output.line(run.json(variant, round: round).compactText) }
                }
                overhead.add(figures)
            }
            return overhead
        }
        if !options.isJSON { Output.line(overhead.text) }
    }
}
