package import RigModel
import Threading

/// One fault of the scenario with its schedule.
package struct FaultPlanEntry: Sendable {
    package var fault: any Fault
    package var at: Duration
    package var every: Duration?
    package var jitter: Duration
    package var times: Int?
    package var duration: Duration?
    /// `nil`: it stands for itself. All of a group have the same schedule, but for `duration`.
    package var group: FaultGroup?

    package init(
        fault: any Fault, at: Duration, every: Duration?, jitter: Duration, times: Int?, duration: Duration?,
        group: FaultGroup? = nil
    ) {
        self.group = group
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
    /// The number of the injection that must be healed before this one begins: they are a sequence.
    package var after: Int?

    package init(number: Int, entry: Int, at: Duration, heal: HealTime, after: Int? = nil) {
        self.number = number
        self.entry = entry
        self.at = at
        self.heal = heal
        self.after = after
    }
}

/// Turns schedules into injections. Pure.
package enum NemesisSchedule {
    /// The most injections of one entry: a period that small is a mistake.
    private static let limit = 100_000

    /// - Parameters:
    ///   - faultsPhase: its length; injections lie within it.
    ///   - seed: draws the jitter and the random faults, from a stream of its own for each entry or group.
    package static func plan(
        _ entries: [FaultPlanEntry], faultsPhase: Duration, seed: UInt64
    ) -> [PlannedInjection] {
        var planned: [PlannedInjection] = []
        var index = 0
        while index < entries.count {
            let group = entries[index].group
            let end =
                group == nil
                ? index + 1
                : entries[index...].firstIndex { $0.group?.number != group?.number } ?? entries.count
            var generator = SeededGenerator(seed: seed, stream: "schedule-\(index)")
            for time in times(entries[index], faultsPhase) {
                let unit = generator.nextUnit() * 2 - 1
                let moved = time + .nanoseconds(Int64(unit * Double(entries[index].jitter.nanoseconds)))
                let at = min(max(moved, .zero), max(faultsPhase - .milliseconds(1), .zero))
                planned += occurrence(
                    of: index..<end, in: entries, at: at, faultsPhase, first: planned.count, &generator)
            }
            index = end
        }
        return inOrderOfTime(planned)
    }

    /// What one time of the schedule brings: one injection, or all of a sequence. Numbers count from `first`.
    private static func occurrence(
        of members: Range<Int>, in entries: [FaultPlanEntry], at: Duration, _ faultsPhase: Duration, first: Int,
        _ generator: inout SeededGenerator
    ) -> [PlannedInjection] {
        func injection(_ index: Int, _ number: Int, at: Duration, after: Int?) -> PlannedInjection {
            PlannedInjection(
                number: number, entry: index, at: at, heal: heal(entries[index], faultsPhase: faultsPhase),
                after: after)
        }
        switch entries[members.lowerBound].group {
        case nil: return [injection(members.lowerBound, first, at: at, after: nil)]
        case .random: return [injection(draw(members, entries, &generator), first, at: at, after: nil)]
        case .sequence(_, let gap):
            var planned: [PlannedInjection] = []
            var time = at
            for index in members where time < faultsPhase {
                let number = first + planned.count
                planned.append(injection(index, number, at: time, after: planned.isEmpty ? nil : number - 1))
                time += length(entries[index]) + gap
            }
            return planned
        }
    }

    private static func draw(
        _ members: Range<Int>, _ entries: [FaultPlanEntry], _ generator: inout SeededGenerator
    ) -> Int {
        func weight(_ index: Int) -> Double {
            if case .random(_, let weight)? = entries[index].group { weight } else { 0 }
        }
        var rest = generator.nextUnit() * members.reduce(0) { $0 + weight($1) }
        for index in members {
            rest -= weight(index)
            if rest < 0 { return index }
        }
        return members.upperBound - 1
    }

    /// How long it lasts, as far as the scenario says.
    static func length(_ entry: FaultPlanEntry) -> Duration { entry.duration ?? entry.fault.ownDuration ?? .zero }

    private static func inOrderOfTime(_ planned: [PlannedInjection]) -> [PlannedInjection] {
        var sorted = planned.sorted { ($0.at, $0.entry, $0.number) < ($1.at, $1.entry, $1.number) }
        let places = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($1.number, $0) })
        for place in sorted.indices {
            sorted[place].number = place
            sorted[place].after = sorted[place].after.flatMap { places[$0] }
        }
        return sorted
    }

    static func times(_ entry: FaultPlanEntry, _ faultsPhase: Duration) -> [Duration] {
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
