import RigModel

/// How many sessions of the pool the server had, over time: runs of samples with the same number. A mergeable fold over
/// `probe/sample` and `probe/books`; memory grows with the number of changes.
struct SessionRuns: Sendable {
    struct Run: Sendable {
        var sessions: Int64
        var first: FaultTimeline.Moment
        var last: FaultTimeline.Moment
        /// The begin of the first run since which there were never fewer than now, without a break.
        var overSince: Int64
    }

    private var plain: [Run] = []
    private(set) var samples = 0
    /// The pool had a socket: there is a server.
    private(set) var sawSockets = false

    mutating func observe(_ event: Event) {
        guard event.process == .probe, event.function == "sample" || event.function == "books" else { return }
        if event.value["client_sockets"]?.intValue ?? 0 > 0 { sawSockets = true }
        guard let sessions = event.value["server_sessions"]?.intValue else { return }
        samples += 1
        if let last = plain.indices.last, plain[last].sessions == sessions {
            plain[last].last = event.moment
        } else {
            plain.append(Run(sessions: sessions, first: event.moment, last: event.moment, overSince: event.time))
        }
    }

    mutating func merge(_ other: SessionRuns) {
        plain = (plain + other.plain).sorted { $0.first < $1.first }
        samples += other.samples
        sawSockets = sawSockets || other.sawSockets
    }

    /// `nil` when there was no sample.
    var peak: Int64? { plain.map(\.sessions).max() }

    /// In the order of time.
    var runs: [Run] {
        var steps: [(sessions: Int64, since: Int64)] = []
        return plain.map { run in
            var run = run
            while let last = steps.last, last.sessions >= run.sessions {
                run.overSince = last.since
                steps.removeLast()
            }
            steps.append((run.sessions, run.overSince))
            return run
        }
    }
}
