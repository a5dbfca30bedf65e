import Benchmarks
import Foundation
import HostSystem
import Orchestrator
import RigModel
import ScenarioFile
import Threading

/// `chaosrig bench judge`: how fast a stored history is judged, and in how much memory.
extension BenchCommand {
    static func judge(_ options: BenchOptions) async throws(BenchError) {
        let events = options.events ?? 10_000_000
        // Not in memory: the file is large, and the judge's own memory is what is measured.
        let folder = try BenchFolder(in: "/tmp")
        let result: Result<JSONValue, BenchError> = await onOwnThread("judge") {
            do { return .success(try measure(events: events, in: folder.path)) } catch {
                return .failure(.failed("\(error)"))
            }
        }
        try folder.remove()
        let row = try result.get()
        if options.isJSON { return Output.line(row.compactText) }
        guard case .object(let members) = row else { return }
        for member in members { Output.line("\(member.key): \(member.value.compactText)") }
    }

    /// Every invariant of the catalogue, on a history with a restart a minute.
    private static func measure(events: Int, in folder: String) throws -> JSONValue {
        let path = "\(folder)/history.jsonl"
        Output.error("writing a history of \(events) events")
        let written = try SyntheticHistory.write(operations: max(1, events / 2), to: path)
        let bytes = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        let invariants = Catalogue.scenario.invariants.filter {
            !$0.takesThresholds && !$0.parameters.contains(where: \.isRequired)
        }
        let scenario =
            "name: synthetic\ntarget: {sqlite: temporary}\nworkload: {mix: {append: 60, read: 20, transfer: 20}}\ninvariants:\n"
            + invariants.map { "  \($0.name): {}\n" }.joined()
        try SmallFile.write(Array(scenario.utf8), to: "\(folder)/scenario.yaml")
        Output.error("judging it by \(invariants.count) invariants")
        let startedAt = MonotonicInstant.now
        let conclusion = try StoredRun(folder).judge(scenarioAt: "\(folder)/scenario.yaml").conclusion
        let seconds = startedAt.duration(to: .now).seconds
        let invalid = conclusion.invariants.filter { $0.verdict == .invalid }.map(\.name)
        return [
            "events": JSONValue(written), "bytes": JSONValue(bytes), "invariants": JSONValue(invariants.count),
            "seconds": .double(seconds), "events_per_second": .double((Double(written) / seconds).rounded()),
            "peak_rss_mb": .double(ProcessFigures.peakResidentMB.rounded()),
            "invalid": .array(invalid.map { .string($0) }),
        ]
    }
}
