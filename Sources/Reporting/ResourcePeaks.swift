package import RigModel

/// What a run took of its surroundings at most, and how busy the machine was, from `probe/sample` and `probe/stall`. A mergeable fold in constant memory.
package struct ResourcePeaks: Sendable {
    private var peaks: [Int64?] = [nil, nil, nil]
    private var stalledNanoseconds: Int64 = 0
    /// Of the machine: how many threads wanted a processor.
    private var runnable: (sum: Int64, samples: Int64) = (0, 0)

    private static let names = [
        (sample: "rss_bytes", peak: "peak_rss_bytes"), (sample: "descriptors", peak: "peak_descriptors"),
        (sample: "server_sessions", peak: "peak_server_sessions"),
    ]

    package init() {}

    package mutating func observe(_ event: Event) {
        guard event.process == .probe else { return }
        switch event.function {
        case "sample":
            for (place, name) in Self.names.enumerated() {
                guard let value = event.value[name.sample]?.intValue else { continue }
                peaks[place] = max(peaks[place] ?? value, value)
            }
            if let threads = event.value["runnable"]?.intValue, (0...1 << 22).contains(threads) {
                runnable = (runnable.sum &+ threads, runnable.samples + 1)
            }
        case "stall":
            let late = event.value["late_ns"]?.intValue ?? 0
            stalledNanoseconds = stalledNanoseconds.addingReportingOverflow(max(0, late)).partialValue
        default: break
        }
    }

    package mutating func merge(_ other: ResourcePeaks) {
        for place in peaks.indices {
            peaks[place] = [peaks[place], other.peaks[place]].compactMap { $0 }.max()
        }
        stalledNanoseconds = stalledNanoseconds.addingReportingOverflow(other.stalledNanoseconds).partialValue
        runnable = (runnable.sum &+ other.runnable.sum, runnable.samples + other.runnable.samples)
    }

    /// For `resources` of the report; what was never sampled is missing.
    package var members: [JSONValue.Member] {
        var members = zip(Self.names, peaks).compactMap { name, peak in
            peak.map { JSONValue.Member(name.peak, .int($0)) }
        }
        members.append(.init("stalled_s", .double((Double(stalledNanoseconds) / 1e3).rounded() / 1e6)))
        if runnable.samples > 0 {
            let mean = Double(runnable.sum) / Double(runnable.samples)
            members.append(.init(FiledRun.runnableThreads, .double((mean * 100).rounded() / 100)))
        }
        return members
    }
}
