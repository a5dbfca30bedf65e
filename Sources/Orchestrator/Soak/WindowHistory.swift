import Glibc
import HostSystem
import Reporting
import RigModel

/// The history of a window that has ended, as a file: read once for its numbers, and kept whole or in parts. Blocks.
struct WindowHistory: Sendable {
    struct Kept: Sendable {
        var numbers = WindowNumbers.Result()
        /// The size of the whole history.
        var written = 0
        /// What is left of it.
        var kept = 0
        /// Why the numbers cannot be trusted, or there is no excerpt; the history is kept whole then. `nil`: all is well.
        var problem: String?
    }

    /// Before and after each begin, proof and end of a fault.
    private static let around = 0.5

    private let path: String
    private var excerptPath: String { parentFolder(of: path) + "/excerpt.jsonl" }

    init(_ path: String) { self.path = path }

    /// Keeps the whole history, or of it only what the rig, the pool and the faults told, and the operations around the
    /// begin and the end of each fault (`excerpt.jsonl`). The history is removed once all of the excerpt is written, and not before.
    func condense(keepsAll: Bool, around faults: [FaultRecord]) -> Kept {
        var result = Kept()
        result.written = SmallFile.size(path) ?? 0
        let moments = faults.flatMap { [$0.injectedAtSeconds, $0.healedAtSeconds].compactMap { $0 } }
        let spans = moments.map { (Int64(($0 - Self.around) * 1e9))...Int64(($0 + Self.around) * 1e9) }
        let excerpt = keepsAll ? nil : ExcerptFile(excerptPath)
        var numbers = WindowNumbers()
        do throws(HistoryError) {
            try HistoryReader(path: path).read { event in
                numbers.observe(event)
                if let excerpt, Self.belongs(event, spans) { excerpt.add(event) }
            }
        } catch {
            result.problem = "its history cannot be read again: \(error)"
        }
        result.numbers = numbers.finish()
        result.kept = result.written
        guard let excerpt else { return result }
        if let error = excerpt.finish() {
            result.problem = result.problem ?? "its history is kept whole: no excerpt could be made: \(error)"
        }
        if result.problem == nil {
            unlink(path)
            result.kept = SmallFile.size(excerptPath) ?? 0
        } else {
            unlink(excerptPath)
        }
        return result
    }

    func remove() {
        unlink(path)
        unlink(excerptPath)
    }

    /// Gauges and samples are looked at within the spans only: of them there are many.
    private static func belongs(_ event: Event, _ spans: [ClosedRange<Int64>]) -> Bool {
        switch event.process {
        case .nemesis: true
        case .pool where event.function != "gauges": true
        case .probe where event.function != "sample" && event.function != "final-appends": true
        case .pool, .probe, .worker: spans.contains { $0.contains(event.time) }
        }
    }
}
