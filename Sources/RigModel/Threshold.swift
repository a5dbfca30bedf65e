/// A bound that a scenario sets on something measured: `acquire.p99: < 50ms in phase steady`. Read and typed before the run.
public struct Threshold: Sendable, Equatable {
    /// What is measured.
    public enum Measure: Sendable, Hashable {
        /// The duration within which a share of the calls lies, 0…1; 1 is the longest.
        case latency(Call, quantile: Double)
        /// The share of operations of a kind (`nil`: of all) that ended in `fail` or `info`.
        case errors(kind: String?)
        /// Operations of a kind (`nil`: of all) that ended in `ok`, a second.
        case throughput(kind: String?)
    }

    /// What took so long.
    public enum Call: Sendable, Hashable {
        /// The longest call of the sort in each operation, however that ended.
        case acquire, query, release
        /// Whole operations of a kind (`nil`: of all) that ended in `ok`, from their scheduled start.
        case operation(kind: String?)
    }

    public enum Comparison: String, Sendable {
        case atMost = "<="
        case atLeast = ">="
        case below = "<"
        case above = ">"
    }

    /// When it holds.
    public enum Scope: Sendable, Equatable {
        case wholeRun
        case phase(String)
        /// While a fault of the kind (`nil`: any) is active.
        case fault(kind: String?)
        case outsideFaults
    }

    public var measure: Measure
    public var comparison: Comparison
    /// Nanoseconds, a share in 0…1, or operations a second.
    public var limit: Double
    public var scope: Scope

    public init(_ measure: Measure, _ comparison: Comparison, _ limit: Double, in scope: Scope = .wholeRun) {
        self.measure = measure
        self.comparison = comparison
        self.limit = limit
        self.scope = scope
    }

    /// The value meets the bound.
    public func admits(_ value: Double) -> Bool {
        switch comparison {
        case .below: value < limit
        case .atMost: value <= limit
        case .above: value > limit
        case .atLeast: value >= limit
        }
    }

    /// `< 50 ms in phase steady`.
    public var words: String { "\(comparison.rawValue) \(measure.words(limit))\(scope.words)" }
}

extension Threshold.Measure {
    /// The quantiles that may be asked for, as they are written.
    public static let quantiles: [(name: String, share: Double)] = [
        ("p50", 0.5), ("p75", 0.75), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p99.9", 0.999), ("p999", 0.999),
        ("p99.99", 0.9999), ("max", 1),
    ]

    /// As it is written in a scenario: `acquire.p99`, `errors`, `append.throughput`.
    public var name: String {
        func prefixed(_ kind: String?, _ word: String) -> String { kind.map { "\($0).\(word)" } ?? word }
        switch self {
        case .errors(let kind): return prefixed(kind, "errors")
        case .throughput(let kind): return prefixed(kind, "throughput")
        case .latency(let call, let quantile):
            let word = Self.quantiles.first { $0.share == quantile }?.name ?? "p\(quantile * 100)"
            switch call {
            case .acquire: return "acquire.\(word)"
            case .query: return "query.\(word)"
            case .release: return "release.\(word)"
            case .operation(let kind): return "\(kind ?? "operation").\(word)"
            }
        }
    }

    /// A value of it, with its unit: `50 ms`, `1.5 %`, `200/s`.
    public func words(_ value: Double) -> String {
        func number(_ value: Double) -> String {
            let rounded = (value * 100).rounded() / 100
            return rounded == rounded.rounded() && abs(rounded) < 1e15 ? String(Int64(rounded)) : String(rounded)
        }
        switch self {
        case .latency: return TimeText.words(nanoseconds: Int64(min(max(value, -9e18), 9e18)))
        case .errors: return "\(number(value * 100)) %"
        case .throughput: return "\(number(value))/s"
        }
    }
}

extension Threshold.Scope {
    /// ` in phase steady`, as it is written behind a bound; nothing for the whole run.
    public var words: String {
        switch self {
        case .wholeRun: ""
        case .phase(let name): " in phase \(name)"
        case .fault(let kind): " in fault \(kind ?? "any")"
        case .outsideFaults: " in fault none"
        }
    }
}
