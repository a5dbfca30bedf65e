import HostSystem
import RigModel
import RigTestSupport
import Testing

@testable import Orchestrator

@Suite struct StoredRunTests {
    private static let scenario = """
        name: stored
        target: {sqlite: temporary}
        workload: {mix: {append: 60, read: 20, transfer: 20}}
        invariants:
          zero-leaked-connections: {}
          retry-correctness: {}
          timeouts: {}
        """

    /// A made-up run, with its events as the body leaves them, written as whole as it was.
    ///
    /// - Parameters:
    ///   - written: what is in `scenario.yaml`, should that not be what the history says.
    ///   - other: the text of a scenario that is named instead.
    ///   - report: the verdict of `report.json`.
    private static func judgement(
        of scenario: String = scenario, written: String? = nil, by other: String? = nil, report: String? = nil,
        _ change: (inout [Event]) -> Void = { _ in }
    ) async throws -> Result<StoredJudgement, RunError> {
        let folder = try TemporaryFolder()
        try SmallFile.write(Array((written ?? scenario).utf8), to: folder.file("scenario.yaml"))
        if let report {
            try SmallFile.write(Array("{\"verdict\": \"\(report)\"}".utf8), to: folder.file("report.json"))
        }
        let otherPath = other.map { _ in folder.file("other.yaml") }
        if let other, let otherPath { try SmallFile.write(Array(other.utf8), to: otherPath) }
        var events: [Event] = []
        var history = SyntheticHistory(operations: 1_000, scenario: scenario)
        history.make { events.append($0) }
        change(&events)
        var digest = SHA256Digest()
        var bytes: [UInt8] = []
        for (index, event) in events.enumerated() {
            var event = event
            event.index = index
            event.write(to: &bytes)
            bytes.append(UInt8(ascii: "\n"))
        }
        digest.update(bytes)
        HistoryRules.end(events: events.count, time: events.last?.time ?? 0, digest: digest.finish()).write(to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        try SmallFile.write(bytes, to: folder.file("history.jsonl"))
        let path = folder.path
        return await onOwnThread("judge") {
            defer { withExtendedLifetime(folder) {} }
            do throws(RunError) { return .success(try StoredRun(path).judge(scenarioAt: otherPath)) } catch {
                return .failure(error)
            }
        }
    }

    private static func judge(
        _ change: (inout [Event]) -> Void
    ) async throws -> Result<RunConclusion, RunError> {
        try await judgement(change).map(\.conclusion)
    }

    @Test func scenarioThatIsNotThatOfTheRunIsRefusedButForWhoeverNamesIt() async throws {
        let changed = scenario(without: "  timeouts: {}")
        guard case .failure(.usage(let words)) = try await Self.judgement(written: changed) else {
            return #expect(Bool(false), "an invariant that was taken away was not missed")
        }
        #expect(words.contains("scenario.yaml: this is not the scenario of the run"))
        #expect(words.contains("--scenario "))
        let named = try await Self.judgement(by: changed).get()
        #expect(!named.isByScenarioOfRun && named.conclusion.invariants.count == 2)
        let own = try await Self.judgement(by: Self.scenario).get()
        #expect(own.isByScenarioOfRun)
    }

    @Test("A history that is better than its own report decides nothing; one that is judged by another scenario does")
    func reportThatSaysOtherwiseCounts() async throws {
        for (report, code) in [("valid", Int32(0)), ("invalid", 4), ("unknown", 4)] {
            let judgement = try await Self.judgement(report: report).get()
            #expect(judgement.conclusion.verdict == .valid && judgement.exitCode == code)
            #expect((judgement.contradiction == nil) == (code == 0))
        }
        let words = try await Self.judgement(report: "invalid").get().contradiction
        #expect(words?.contains("report.json says invalid") == true && words?.contains("run it again") == true)
        let other = try await Self.judgement(by: scenario(without: "  timeouts: {}"), report: "invalid").get()
        #expect(other.exitCode == 0 && other.contradiction == nil)
        // Interrupted: both say that it is not decided.
        let interrupted = try await Self.judgement(report: "unknown") { events in
            for index in events.indices where events[index].function == "outcome" {
                events[index].value = RunRecord.outcome(problems: [], signal: 2)
            }
        }.get()
        #expect(interrupted.exitCode == 4 && interrupted.contradiction == nil)
    }

    @Test(
        "A history that does not say what was planned is inconclusive for that, and counts no faults that are missing")
    func unknownPlanIsSaidInWords() async throws {
        let conclusion = try await Self.judge { events in
            for index in events.indices where events[index].function == "run" {
                guard case .object(let members) = events[index].value else { continue }
                events[index].value = .object(members.filter { $0.key != "planned_injections" })
            }
        }.get()
        #expect(conclusion.verdict == .unknown)
        #expect(conclusion.notes.contains { $0.contains("it does not say what was planned") }, "\(conclusion.notes)")
        #expect(!conclusion.notes.contains { $0.contains("should have been injected") }, "\(conclusion.notes)")
    }

    @Test func behaviourThatWasAskedForAndNeverSeenIsMissed() async throws {
        // 10 % of some 800 operations; of 1 % none may come.
        let often = Self.scenario.replacing(
            "transfer: 20}}", with: "transfer: 20}, behaviour: {cancel: 10%, nested: 1%}}")
        let silent = try await Self.judgement(of: often).get().conclusion
        #expect(silent.verdict == .unknown)
        #expect(
            silent.notes.count == 1 && silent.notes[0].hasPrefix("the behaviour cancel was asked for, and never seen"))
        let seen = try await Self.judgement(of: often) { events in
            let place = events.lastIndex { $0.completion != nil } ?? 0
            events[place].completion?.notes = ["cancel": ["at": "query", "took_ns": 5]]
        }.get().conclusion
        #expect(seen.verdict == .valid, "\(seen.notes)")
    }

    @Test func historyThatDoesNotNameItsScenarioIsRefused() async throws {
        let result = try await Self.judgement { events in
            let place = events.firstIndex { $0.function == "run" } ?? 0
            events[place].value = ["scenario": "stored", "seed": 1, "planned_injections": 0]
        }
        guard case .failure(.usage(let words)) = result else { return #expect(Bool(false), "\(result)") }
        #expect(words.contains("does not say by which scenario it was made"))
    }

    @Test func folderThatHoldsNoRunIsSaidSoAndTheLatestOneNamed() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path
        func words() async -> String {
            await onOwnThread("judge") {
                do throws(RunError) { return "\(try StoredRun(path).judge())" } catch { return "\(error)" }
            }
        }
        #expect(await words().hasPrefix("\(path) is no run folder: "))
        try SmallFile.makeFolder(folder.file("latest"))
        #expect(await words().hasSuffix("; did you mean \(path)/latest?"))
    }

    private func scenario(without line: String) -> String { Self.scenario.replacing(line, with: "") }

    @Test func wholeRunIsValid() async throws {
        let conclusion = try await Self.judge { _ in }.get()
        #expect(conclusion.verdict == .valid, "\(conclusion.notes)")
        #expect(conclusion.exitCode == 0)
        #expect(conclusion.invariants.map(\.name) == ["zero-leaked-connections", "retry-correctness", "timeouts"])
    }

    @Test func whoForgesTheDigestTooMeetsTheCheckers() async throws {
        // An acknowledged append that was never begun, by whatever the rows say.
        let lost = try await Self.judge { events in
            let place = events.firstIndex { $0.kind == .ok && $0.function == "append" } ?? 0
            let worker = events[place].process
            let invoke = events[..<place].lastIndex { $0.kind == .invoke && $0.process == worker } ?? 0
            events.remove(at: place)
            events.remove(at: invoke)
        }.get()
        #expect(lost.verdict == .invalid)
        let doubled = try await Self.judge { events in
            let place = events.firstIndex { $0.function == "final-appends" } ?? 0
            let ids = events[place].value["ids"]?.arrayValue ?? []
            events[place].value = ["ids": .array(ids + ids.prefix(1)), "part": 0, "parts": 1]
        }.get()
        #expect(doubled.verdict == .invalid)
        let halfOperation = try await Self.judge { events in
            events.remove(at: events.firstIndex { $0.kind == .invoke } ?? 0)
        }
        guard case .failure(.usage(let words)) = halfOperation else { return #expect(Bool(false), "\(halfOperation)") }
        #expect(words.contains("which it never began"))
    }

    @Test func historyThatDoesNotSayWhatWasPlannedIsInconclusive() async throws {
        let conclusion = try await Self.judge { events in events.removeAll { $0.function == "run" } }.get()
        #expect(conclusion.verdict == .unknown)
        #expect(conclusion.notes.contains { $0.contains("does not say what was planned") })
    }

    @Test func problemsOfTheRunAndItsInterruptionAreInItsHistory() async throws {
        let conclusion = try await Self.judge { events in
            let place = events.firstIndex { $0.function == "outcome" } ?? 0
            events[place].value = RunRecord.outcome(problems: ["the final state could not be read"], signal: 2)
        }.get()
        #expect(conclusion.verdict == .unknown && conclusion.exitCode == 4)
        #expect(conclusion.notes.contains("interrupted by SIGINT"))
        #expect(conclusion.notes.contains("the final state could not be read"))
    }

    @Test func faultThatNeverCameIsMissed() async throws {
        let conclusion = try await Self.judge { events in
            let place = events.firstIndex { $0.function == "run" } ?? 0
            events[place].value = RunRecord.started(
                scenario: "stored", text: Self.scenario, seed: 1, plannedInjections: 2)
        }.get()
        #expect(conclusion.verdict == .unknown)
        #expect(conclusion.notes.contains { $0.contains("2 faults should have been injected") })
    }
}
