import Glibc
package import RigModel

/// The same jobs several times, one after the other inside each round: the machine changes from minute to minute, so only
/// figures of one round are compared.
package struct Rounds: Sendable {
    /// Per round, what each job gave.
    private(set) package var results: [[BenchJob: BenchRow]] = []
    /// Every result as the harness writes it, with its round.
    private(set) package var lines: [JSONValue] = []

    package init() {}

    /// - Parameters:
    ///   - say: is told what runs now.
    ///   - show: gets each result as soon as it is there.
    package static func run(
        _ jobs: [BenchJob], count: Int, on runner: any BenchRunner, say: (String) -> Void,
        show: (JSONValue) -> Void = { _ in }
    ) async throws(BenchError) -> Rounds {
        var rounds = Rounds()
        for round in 1...max(1, count) {
            var results: [BenchJob: BenchRow] = [:]
            for (number, job) in jobs.enumerated() where results[job] == nil {
                say("round \(round) of \(count), \(number + 1) of \(jobs.count): \(job)")
                let row = try await runner.run(job)
                results[job] = row
                let line = rounds.line(row, round: round)
                rounds.lines.append(line)
                show(line)
            }
            rounds.results.append(results)
        }
        return rounds
    }

    /// A figure of one job over all rounds.
    func values(_ job: BenchJob, _ figure: (BenchRow) -> Double?) -> [Double] {
        results.compactMap { $0[job].flatMap(figure) }
    }

    /// A figure of one job divided by the same of another one, round by round.
    func ratios(_ job: BenchJob, to other: BenchJob, _ figure: (BenchRow) -> Double?) -> [Double] {
        results.compactMap { round in
            guard let value = round[job].flatMap(figure), let base = round[other].flatMap(figure), base > 0 else {
                return nil
            }
            return value / base
        }
    }

    private func line(_ row: BenchRow, round: Int) -> JSONValue {
        var load = [0.0]
        getloadavg(&load, 1)
        guard case .object(let members) = row.json else { preconditionFailure("a row is a JSON object") }
        return .object(members + [.init("round", JSONValue(round)), .init("load1", .double(load[0]))])
    }
}
