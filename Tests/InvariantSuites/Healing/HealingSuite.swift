import Foundation
import RigModel
import RigTestSupport
import Testing

/// However a run ends, at whatever moment and whatever fault is active: nothing of it is left.
@Suite(.serialized, .timeLimit(.minutes(60)))
struct HealingSuite {
    /// Under a sanitizer everything takes longer and the paths are the same.
    private static let isShort = ProcessInfo.processInfo.environment["CHAOSRIG_SANITIZER"] != nil

    @Test("A run that is killed at any moment leaves nothing")
    func killedRunsLeaveNothing() async throws { try await expectNothing(after: .killed, Self.isShort ? 9 : 100) }

    @Test("A run that is interrupted at any moment leaves nothing")
    func interruptedRunsLeaveNothing() async throws {
        try await expectNothing(after: .interrupted, Self.isShort ? 3 : 12)
    }

    @Test("What a run leaves that is killed together with its watchdog, heal removes")
    func healRemovesWhatIsLeft() async throws {
        try await expectNothing(after: .killedWithItsWatchdog, Self.isShort ? 3 : 12)
    }

    private func expectNothing(after ending: Trial.Ending, _ count: Int) async throws {
        // Alone: faults of other tests would show in the machine's state.
        for _ in 0..<FaultLanes.count { await FaultLanes.shared.enter() }
        let outcomes: [(Trial, Trial.Outcome)]
        let before = try await MachineState.read()
        do {
            outcomes = try await trials(ending, count)
        } catch {
            for _ in 0..<FaultLanes.count { await FaultLanes.shared.leave() }
            throw error
        }
        let after = try await MachineState.read()
        for _ in 0..<FaultLanes.count { await FaultLanes.shared.leave() }
        for (trial, outcome) in outcomes {
            #expect(outcome.left == [], "seed \(trial.seed), after \(trial.after)")
            #expect(outcome.complaint == nil, "seed \(trial.seed), after \(trial.after)")
        }
        #expect(after.differences(from: before) == [])
        // Else nothing was tried: most moments lie within the run.
        #expect(outcomes.count { $0.1.hadBegun } > count / 2)
    }

    /// So many at a time as there are lanes.
    private func trials(_ ending: Trial.Ending, _ count: Int) async throws -> [(Trial, Trial.Outcome)] {
        var random = SeededGenerator(seed: 5, stream: "\(ending)")
        let trials = (0..<count).map { number in
            Trial(
                scenario: Campaign.all[number % Campaign.all.count], ending: ending,
                after: .milliseconds(Int(random.nextUnit() * 7_000)), seed: UInt64(number))
        }
        return try await withThrowingTaskGroup(of: (Trial, Trial.Outcome).self) { group in
            var rest = trials.makeIterator()
            for _ in 0..<FaultLanes.count {
                if let trial = rest.next() { group.addTask { (trial, try await trial.run()) } }
            }
            var outcomes: [(Trial, Trial.Outcome)] = []
            while let outcome = try await group.next() {
                outcomes.append(outcome)
                if let trial = rest.next() { group.addTask { (trial, try await trial.run()) } }
            }
            return outcomes
        }
    }
}
