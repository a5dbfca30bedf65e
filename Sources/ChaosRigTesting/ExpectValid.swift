@_exported public import ChaosRig
public import Testing

extension RigScenario {
    /// Runs it against a pool, and fails the test with an issue for each finding, at the line that calls this.
    ///
    /// ```swift
    /// @Test func survivesARestart() async throws {
    ///     let scenario = try RigScenario(file: "restart.yaml")
    ///     await scenario.expectValid { MyPool($0) }
    /// }
    /// ```
    ///
    /// A run that could not be judged fails the test, too.
    ///
    /// - Returns: the report; `nil` where there is none, which is an issue as well.
    @discardableResult
    public func expectValid<Pool: RigPool>(
        _ options: RigOptions = RigOptions(), sourceLocation: SourceLocation = #_sourceLocation,
        pool makePool: @escaping @Sendable (RigPoolSettings) async throws -> Pool
    ) async -> RigReport? {
        var options = options
        if let test = Test.current, options.replayCommand == RigOptions().replayCommand {
            options.replayCommand += " --filter '\(test.name.prefix { $0 != "(" })'"
        }
        do {
            let report = try await run(options, pool: makePool)
            report.expectValid(sourceLocation: sourceLocation)
            return report
        } catch {
            Issue.record("chaosrig \(name): \(error)", sourceLocation: sourceLocation)
            return nil
        }
    }
}

extension RigReport {
    /// Fails the current test with an issue for each finding, and for each invariant that could not be judged, at the line that
    /// calls this. Does nothing where the verdict is valid.
    public func expectValid(sourceLocation: SourceLocation = #_sourceLocation) {
        for issue in issues {
            Issue.record(Comment(rawValue: "\(issue)\n\(place)"), sourceLocation: sourceLocation)
        }
    }

    /// One text for each thing that keeps the verdict from being valid.
    private var issues: [String] {
        if verdict == .valid { return [] }
        let red = invariants.filter { $0.verdict == .invalid }.flatMap { invariant -> [String] in
            // A verdict without findings has its reason in the summary.
            if invariant.findings.isEmpty { return ["\(scenario), \(invariant.name): \(invariant.summary)"] }
            return invariant.findings.map { "\(scenario), \(invariant.name): \($0)" }
        }
        let open = invariants.filter { $0.verdict == .unknown }.map {
            "\(scenario), \($0.name) could not be judged: \($0.summary)"
        }
        let all = red + open + notes.map { "\(scenario): \($0)" }
        return all.isEmpty ? ["\(scenario): the verdict is \(verdict.rawValue)"] : all
    }

    private var place: String { "run folder \(folder); again: \(replay)" }
}
