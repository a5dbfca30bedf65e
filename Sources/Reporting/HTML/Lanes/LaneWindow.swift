package import RigModel

/// A stretch of the run around findings that are close to each other.
package struct LaneWindow: Sendable, Equatable {
    /// A finding in it: its number, from 1 in the order of the report, and when, in nanoseconds since the run's start.
    struct Moment: Sendable, Equatable {
        var finding: Int
        var time: Int64
    }

    /// The first one is the middle.
    private(set) var moments: [Moment]
    /// Events of the history that the findings name.
    private(set) var events: Set<Int>
    /// How far it reaches on each side of its middle, in nanoseconds.
    private(set) var reach: Int64 = 1_000_000_000

    private init(_ moment: Moment, events: [Int]) {
        moments = [moment]
        self.events = Set(events)
    }

    /// Nanoseconds since the run's start.
    var span: Range<Int64> { max(moments[0].time - reach, 0)..<moments[0].time + reach }

    /// Half as wide, around the same middle.
    mutating func narrow() { reach /= 2 }

    /// More windows than these nobody looks at, and each costs room in the file.
    static let limit = 8

    /// The windows of a report: of the first finding of each invariant first, then of the others, as long as there is room; then in the
    /// order of time. A finding that falls into the window of another shares it.
    package static func around(_ results: [InvariantResult]) -> [LaneWindow] {
        var windows: [LaneWindow] = []
        for (number, finding) in order(results) {
            guard let time = finding.time, (0...Event.timeLimit).contains(time) else { continue }
            let moment = Moment(finding: number, time: time)
            // Close enough to the middle that what led to it is seen, too.
            if let index = windows.firstIndex(where: { abs(time - $0.moments[0].time) <= $0.reach / 2 }) {
                windows[index].moments.append(moment)
                windows[index].events.formUnion(finding.events)
            } else if windows.count < limit {
                windows.append(LaneWindow(moment, events: finding.events))
            }
        }
        return windows.sorted { $0.moments[0].time < $1.moments[0].time }
    }

    private static func order(_ results: [InvariantResult]) -> [(number: Int, finding: Finding)] {
        var number = 0
        var first: [(Int, Finding)] = []
        var rest: [(Int, Finding)] = []
        for result in results {
            for (position, finding) in result.findings.enumerated() {
                number += 1
                if position == 0 { first.append((number, finding)) } else { rest.append((number, finding)) }
            }
        }
        return first + rest
    }
}
