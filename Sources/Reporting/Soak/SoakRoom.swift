import RigModel

/// What is to be removed of a soak's windows, so that all that they keep is within a limit. Pure.
///
/// What has least to tell goes first: valid windows before those that could not be judged, and these before those with a finding;
/// of each kind the oldest first, and their reports after all their histories. The report of a window with a finding stays.
package enum SoakRoom {
    package enum Part: Sendable {
        /// What there is of its history, and the page that was made from it.
        case history
        case report
    }

    package struct Removal: Sendable, Equatable {
        package var window: Int
        package var part: Part

        package init(window: Int, part: Part) {
            self.window = window
            self.part = part
        }
    }

    /// - Parameter limit: in bytes.
    package static func removals(_ windows: [SoakWindow], limit: Int) -> [Removal] {
        var excess = windows.reduce(0) { $0 + $1.diskBytes } - limit
        if excess <= 0 { return [] }
        var removals: [Removal] = []
        for (verdict, part) in order {
            for window in windows where window.verdict == verdict && excess > 0 {
                let bytes = part == .history ? window.keptBytes + window.pageBytes : window.reportBytes
                guard bytes > 0 else { continue }
                excess -= bytes
                removals.append(Removal(window: window.number, part: part))
            }
        }
        return removals
    }

    private static let order: [(verdict: Verdict, part: Part)] = [
        (.valid, .history), (.valid, .report), (.unknown, .history), (.unknown, .report), (.invalid, .history),
    ]
}
