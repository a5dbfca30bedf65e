package import RigModel

/// Says in words which fault was active when. Every finding asks it.
///
/// Faults are told by the nemesis, which may be in another part of the history than the operations: so this is a fold of
/// its own inside each checker, and is asked only when the checker finishes.
package struct FaultWindows: Sendable {
    package private(set) var timeline = FaultTimeline()

    package init() {}

    package mutating func observe(_ event: Event) { timeline.observe(event) }
    package mutating func merge(_ other: FaultWindows) { timeline.merge(other.timeline) }

    /// The faults that were active at `time`: `restart #0 (immediate, down for 2 s)`; where there was none, how long ago
    /// the last one was healed: `none (restart #0 healed 1.2 s before)`; else `none`. O(injections).
    package func words(at time: Int64) -> String { words(from: time, to: time) }

    /// The same for everything that was active at some time between the two, both included.
    package func words(from: Int64, to: Int64) -> String {
        let active = timeline.unordered.filter { Self.isActive($0, from: from, to: to) }
            .sorted { $0.number < $1.number }
        if !active.isEmpty { return active.map(\.name).joined(separator: " and ") }
        let healedBefore = timeline.unordered.compactMap { injection in injection.heal.map { (injection, $0.time) } }
            .filter { $0.1 < from }
        guard let (last, healedAt) = healedBefore.max(by: { ($0.1, $0.0.number) < ($1.1, $1.0.number) }) else {
            return "none"
        }
        return "none (\(last.shortName) healed \(TimeText.words(nanoseconds: from - healedAt)) before)"
    }

    /// Began before `to` ended, and was healed after `from` began or not at all.
    package static func isActive(_ injection: FaultTimeline.Injection, from: Int64, to: Int64) -> Bool {
        guard let begin = injection.inject?.time, begin <= to else { return false }
        return injection.heal.map { $0.time >= from } ?? true
    }
}
