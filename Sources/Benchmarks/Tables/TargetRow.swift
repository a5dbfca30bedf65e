/// One target: what is measured, against what, and what is demanded.
struct TargetRow: Sendable {
    /// A number of a result.
    enum Figure: Sendable {
        case perSecond, nanosecondsPerOperation, p99, p999, rssMB, rssGrowthMB, cpuPercent
        /// A named figure in percent, from a share in `0...1`.
        case share(String)
        /// A named figure and its unit.
        case named(String, String)

        func value(_ row: BenchRow) -> Double? {
            switch self {
            case .perSecond: row.perSecond
            case .nanosecondsPerOperation: row.perSecond.flatMap { $0 > 0 ? 1e9 / $0 : nil }
            case .p99: row.p99
            case .p999: row.p999
            case .rssMB: row.rssMB
            case .rssGrowthMB: row.rssMB.flatMap { peak in row.number("idle_rss_mb").map { peak - $0 } }
            case .cpuPercent: row.idleCPUPercent
            case .share(let name): row.number(name).map { $0 * 100 }
            case .named(let name, _): row.number(name)
            }
        }

        var unit: String {
            switch self {
            case .perSecond: "/s"
            case .nanosecondsPerOperation: " ns"
            case .p99, .p999: " µs"
            case .rssMB, .rssGrowthMB: " MB"
            case .cpuPercent, .share: " %"
            case .named(_, let unit): unit
            }
        }

        func text(_ value: Double) -> String {
            if case .cpuPercent = self { return value.digits(3) + unit }
            if case .share = self { return value.digits(value < 1 ? 4 : 1) + unit }
            return value.short + unit
        }
    }

    enum Demand: Sendable {
        case ratioAtLeast(Double)
        case ratioAtMost(Double)
        case valueAtLeast(Double)
        case valueAtMost(Double)
        /// Nothing is demanded, or what it would be compared with is missing.
        case none(String)

        func isMet(value: Double?, ratio: Double?) -> Bool? {
            switch self {
            case .ratioAtLeast(let limit): ratio.map { $0 >= limit }
            case .ratioAtMost(let limit): ratio.map { $0 <= limit }
            case .valueAtLeast(let limit): value.map { $0 >= limit }
            case .valueAtMost(let limit): value.map { $0 <= limit }
            case .none: nil
            }
        }
    }

    let title: String
    let figure: Figure
    let target: String
    let demand: Demand
    let ours: BenchJob
    let other: BenchJob?
}
