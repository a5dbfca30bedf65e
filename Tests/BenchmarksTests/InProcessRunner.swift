import Benchmarks

/// Runs jobs in this process, without those of other programs.
struct InProcessRunner: BenchRunner {
    let database: BenchDatabase
    let tuning: PeerCall.Tuning

    func run(_ job: BenchJob) async throws(BenchError) -> BenchRow {
        var tuning = tuning
        tuning.variation = job.options
        switch job.program {
        case .ours: return try await BenchPeer(job.call, tuning: tuning, dsn: database.dsn).run()
        case .limit: return try await BenchLimit(job.call, tuning: tuning, dsn: database.dsn).run()
        case .peer(let name): throw .missing("\(name.rawValue) is a program of its own")
        }
    }
}
