import RigModel

/// The targets of the pool and its drivers, measured.
///
/// Without the programs of other pools each row is measured against the bare C library; rows whose target names another
/// pool then demand nothing.
package struct TargetTable: Sendable {
    private let rows: [TargetRow]
    /// What must be measured in each round.
    package let jobs: [BenchJob]

    /// - Parameters:
    ///   - hasPeers: whether HikariCP, pgxpool, database/sql and the rest can be measured beside us.
    ///   - seconds: how long each measurement takes.
    ///   - rows: rows of the COPY.
    package init(hasPeers: Bool, seconds: Double = 1, rows: Int = 1_000_000) {
        let table = TargetRows(hasPeers: hasPeers, seconds: seconds, bulkRows: rows).all
        self.rows = table
        var jobs: [BenchJob] = []
        for job in table.flatMap({ [$0.other, $0.ours].compactMap { $0 } }) where !jobs.contains(job) {
            jobs.append(job)
        }
        self.jobs = jobs
    }

    /// The table, with the medians over the rounds; a ratio is the median of the ratios of each round.
    package func text(_ rounds: Rounds) -> String {
        var table = TextTable(header: ["row", "target", "ours", "against", "ratio (min-max)", "n", "verdict"])
        for row in rows {
            let values = rounds.values(row.ours, row.figure.value)
            let value = values.median()
            let ratios = row.other.map { rounds.ratios(row.ours, to: $0, row.figure.value) } ?? []
            let ratio = ratios.median()
            let other = row.other.flatMap { job in
                rounds.values(job, row.figure.value).median().map { "\(row.figure.text($0)) \(job.name)" }
            }
            var spread = ratio.map { $0.digits(2) } ?? "-"
            if let low = ratios.min(), let high = ratios.max(), ratios.count > 1 {
                spread += " (\(low.digits(2))-\(high.digits(2)))"
            }
            let verdict = row.demand.isMet(value: value, ratio: ratio).map { $0 ? "met" : "MISSED" }
            var remark = "-"
            if case .none(let why) = row.demand { remark = why }
            table.add([
                row.title, row.target, value.map(row.figure.text) ?? "-", other ?? "-", spread, "\(values.count)",
                verdict ?? remark,
            ])
        }
        return table.text
    }

    /// Operations that failed, over all rounds, in words; empty when none did.
    package func failures(_ rounds: Rounds) -> [String] {
        jobs.compactMap { job in
            let errors = rounds.results.compactMap { $0[job]?.errors }.reduce(0, +)
            let words = rounds.results.compactMap {
                $0[job]?.extra.first { $0.key == "first_error" }?.value.stringValue
            }
            return errors > 0 ? "\(job): \(errors) operations failed, the first: \(words.first ?? "unknown")" : nil
        }
    }
}
