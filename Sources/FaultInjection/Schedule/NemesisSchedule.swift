import RigModel
import Threading

/// One fault of the scenario with its schedule.
package struct FaultPlanEntry: Sendable {
    package var fault: any Fault
    package var at: Duration
    package var every: Duration?
    package var jitter: Duration
    package var times: Int?
    package var duration: Duration?

    package init(
        fault: any Fault, at: Duration, every: Duration?, jitter: Duration, times: Int?, duration: Duration?
    ) {
        self.fault = fault
        self.at = at
        self.every = every
        self.jitter = jitter
        self.times = times
        self.duration = duration
    }
}

/// When a planned fault is healed.
package enum HealTime: Sendable, Equatable {
    /// As soon as it was proven: it leaves nothing to undo.
    case atOnce
    /// So long after it had begun.
    case after(Duration)
    /// At this time of the faults phase.
    case at(Duration)
}

/// One injection that will happen.
package struct PlannedInjection: Sendable, Equatable {
    /// Counts injections from 0, in the order of time.
    package var number: Int
    /// Which entry of the scenario it comes from.
    package var entry: Int
    /// From the beginning of the faults phase.
    package var at: Duration
    package var heal: HealTime
}

/// Turns schedules into injections. Pure.
package enum NemesisSchedule {
    /// The most injections of one entry: a period that small is a mistake.
    private static let limit = 100_000

    /// - Parameters:
    ///   - faultsPhase: its length; injections lie within it.
    ///   - seed: draws the jitter, from a stream of its own for each entry.
    package static func plan(
        _ entries: [FaultPlanEntry], faultsPhase: Duration, seed: UInt64
    ) -> [PlannedInjection] {
        var planned: [PlannedInjection] = []
        for (index, entry) in entries.enumerated() {
            var generator = SeededGenerator(seed: seed, stream: "schedule-\(index)")
            for time in times(entry, faultsPhase) {
                let moved =
                    time + .nanoseconds(Int64((generator.nextUnit() * 2 - 1) * Double(entry.jitter.nanoseconds)))
                let at = min(max(moved, .zero), max(faultsPhase - .milliseconds(1), .zero))
                planned.append(
                    PlannedInjection(number: 0, entry: index, at: at, heal: heal(entry, faultsPhase: faultsPhase)))
            }
        }
        planned.sort { ($0.at, $0.entry) < ($1.at, $1.entry) }
        for number in planned.indices { planned[number].number = number }
        return planned
    }

    private static func times(_ entry: FaultPlanEntry, _ faultsPhase: Duration) -> [Duration] {
        guard let every = entry.every, every > .zero else { return [entry.at] }
        var times: [Duration] = []
        var time = entry.at
        while times.count < min(entry.times ?? limit, limit), time < faultsPhase {
            times.append(time)
            time += every
        }
        return times
    }

    private static func heal(_ entry: FaultPlanEntry, faultsPhase: Duration) -> HealTime {
        if let duration = entry.duration ?? entry.fault.ownDuration { return .after(duration) }
        return type(of: entry.fault).shape.isLasting ? .at(faultsPhase) : .atOnce
    }
}
