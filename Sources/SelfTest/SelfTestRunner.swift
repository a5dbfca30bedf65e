import Foundation
import HostSystem
package import Orchestrator
import Threading

/// Runs defects and the untouched pool, several at the same time, and collects what came of them.
package struct SelfTestRunner: Sendable {
    package struct Options: Sendable {
        /// The rig's own program.
        package var program: String
        /// Where the shipped scenarios are.
        package var scenarios: String
        /// Where the run folders go.
        package var out: String
        package var seed: UInt64
        /// Runs at the same time.
        package var jobs: Int
        package var interrupt: Interrupt
        /// Is told of each run that ended; on any thread.
        package var onEnd: @Sendable (_ result: TrialResult, _ done: Int, _ of: Int) -> Void

        package init(
            program: String, scenarios: String, out: String, seed: UInt64, jobs: Int, interrupt: Interrupt,
            onEnd: @escaping @Sendable (_ result: TrialResult, _ done: Int, _ of: Int) -> Void
        ) {
            self.program = program
            self.scenarios = scenarios
            self.out = out
            self.seed = seed
            self.jobs = max(1, jobs)
            self.interrupt = interrupt
            self.onEnd = onEnd
        }
    }

    private let options: Options

    package init(_ options: Options) { self.options = options }

    /// Runs the untouched pool first: where that is red nothing that follows means anything.
    ///
    /// - Returns: what was run before an interrupt, in the order of the defects.
    package func run(_ defects: [Defect]) async -> SelfTestResult {
        let plan = TrialRun.plan(defects)
        let results = await results(of: plan.untouched + plan.defects) { _ in options.seed }
        return SelfTestResult(
            untouched: results.prefix(plan.untouched.count).compactMap { $0 },
            defects: results.dropFirst(plan.untouched.count).compactMap { $0 }, isWhole: isWhole(results))
    }

    /// Runs the untouched pool only, so many times, in the scenarios of these defects in turn, each time with another seed.
    package func runUntouched(_ times: Int, in defects: [Defect]) async -> SelfTestResult {
        let untouched = TrialRun.plan(defects).untouched
        let runs = (0..<times).map { untouched[$0 % untouched.count] }
        let results = await results(of: runs) { options.seed &+ UInt64($0) }
        return SelfTestResult(untouched: results.compactMap { $0 }, defects: [], isWhole: isWhole(results))
    }

    private func isWhole(_ results: [TrialResult?]) -> Bool {
        !results.contains { $0 == nil } && options.interrupt.raised == nil
    }

    /// - Parameter seed: of the run of this number.
    private func results(of runs: [TrialRun], seed: (Int) -> UInt64) async -> [TrialResult?] {
        var results = [TrialResult?](repeating: nil, count: runs.count)
        await withTaskGroup(of: (Int, TrialResult).self) { group in
            var next = 0
            func startNext() {
                guard next < runs.count, options.interrupt.raised == nil else { return }
                let (number, itsSeed) = (next, seed(next))
                next += 1
                group.addTask { (number, await result(of: runs[number], number: number, seed: itsSeed)) }
            }
            for _ in 0..<options.jobs { startNext() }
            var done = 0
            while let (number, result) = await group.next() {
                results[number] = result
                done += 1
                options.onEnd(result, done, runs.count)
                startNext()
            }
        }
        return results
    }

    /// A run that could not be judged, as on a machine that stood still in its steady phase, says nothing: it is done once more.
    private func result(of run: TrialRun, number: Int, seed: UInt64) async -> TrialResult {
        let folder = "\(options.out)/\(run.defect?.name ?? "untouched-\(number)")"
        let first = await result(of: run, in: folder, seed: seed)
        guard first.end == .undecided, options.interrupt.raised == nil else { return first }
        return await result(of: run, in: folder + "-again", seed: seed)
    }

    private func result(of run: TrialRun, in folder: String, seed: UInt64) async -> TrialResult {
        let interrupt = options.interrupt
        var result = await TrialProcess(
            program: options.program, scenarios: options.scenarios, folder: folder, seed: seed, run: run
        ).result(isInterrupted: { interrupt.raised != nil })
        // It has not seen what it was to see.
        if interrupt.raised != nil, result.end != .good {
            result.end = .undecided
            result.words = "interrupted"
        }
        return result
    }
}
