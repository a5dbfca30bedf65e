import RigModel

/// Faults of a scenario that could meet, but must not. Pure.
package enum FaultConflicts {
    /// - Returns: for each pair the later entry, and what is wrong. By the worst jitter: a scenario that is accepted works
    ///   with every seed.
    package static func find(_ entries: [FaultPlanEntry], faultsPhase: Duration) -> [(entry: Int, message: String)] {
        let windows = entries.indices.map { Self.windows(of: $0, entries, faultsPhase) }
        var found: [(entry: Int, message: String)] = []
        for later in entries.indices {
            for earlier in 0...later {
                guard let claim = Claim.disputed(by: entries[earlier].fault, entries[later].fault),
                    let time = meeting(
                        of: windows[earlier], and: windows[later],
                        shareTimes: earlier == later || areOneGroup(entries[earlier], entries[later]))
                else { continue }
                found.append((later, message(earlier, later, entries, claim, time)))
            }
        }
        return found
    }

    /// From when to when an injection may be there.
    private struct Window {
        var begin: Duration
        var end: Duration

        /// At the same moment two that are over at once still meet; one that ends as the other begins does not.
        func meets(_ other: Window) -> Bool {
            begin == other.begin || (begin < other.end && other.begin < end)
        }
    }

    private static func windows(of index: Int, _ entries: [FaultPlanEntry], _ faultsPhase: Duration) -> [Window] {
        let entry = entries[index]
        var offset = Duration.zero
        if case .sequence(let number, let gap)? = entry.group {
            for earlier in entries[..<index] where earlier.group?.number == number {
                offset += NemesisSchedule.length(earlier) + gap
            }
        }
        let isOpen = entry.duration == nil && entry.fault.ownDuration == nil && type(of: entry.fault).shape.isLasting
        return NemesisSchedule.times(entry, faultsPhase).map { time in
            let begin = max(time + offset - entry.jitter, .zero)
            let end = isOpen ? faultsPhase : time + offset + entry.jitter + NemesisSchedule.length(entry)
            return Window(begin: begin, end: max(begin, end))
        }
    }

    private static func areOneGroup(_ one: FaultPlanEntry, _ other: FaultPlanEntry) -> Bool {
        one.group != nil && one.group?.number == other.group?.number
    }

    /// When two of these first meet. Both are in the order of time, and each list's windows are equally long.
    ///
    /// - Parameter shareTimes: they are of one entry or group, so that those of the same time come one after the other, or
    ///   in place of each other. The next time may still come too early.
    private static func meeting(of one: [Window], and other: [Window], shareTimes: Bool) -> Duration? {
        if shareTimes {
            let pairs = Array(zip(one, other.dropFirst())) + Array(zip(other, one.dropFirst()))
            return pairs.filter { $0.meets($1) }.map { max($0.begin, $1.begin) }.min()
        }
        var first = 0
        for window in one {
            while first < other.count, other[first].end < window.begin { first += 1 }
            for candidate in other[first...] {
                if candidate.begin > window.end { break }
                if candidate.meets(window) { return max(candidate.begin, window.begin) }
            }
        }
        return nil
    }

    private static func message(
        _ earlier: Int, _ later: Int, _ entries: [FaultPlanEntry], _ claim: Claim, _ time: Duration
    ) -> String {
        func name(_ index: Int) -> String { type(of: entries[index].fault).shape.name }
        let at = time.words
        if earlier == later {
            return "\(name(later)): an injection may begin at \(at) while the one before still holds \(claim); "
                + "make every: longer, or jitter: smaller"
        }
        let holders = [later, earlier].filter { entries[$0].fault.claims.contains(claim) }
        let dispute =
            holders.count == 2
            ? "\(name(later)) and \(name(earlier)) may both hold \(claim) at \(at); only one fault at a time can"
            : "\(name(later)) and \(name(earlier)) may meet at \(at); \(name(holders[0])) holds \(claim), which the other needs"
        return "\(dispute). Let one end before the other begins (at:, for:), or write them as a sequence:"
    }
}
