import RigModel

/// Whether a bound can be met, and whether it can be missed. Pure.
enum ThresholdSense {
    /// Why no run meets the bound; `nil`: one may.
    static func impossible(_ bound: Threshold, _ scope: ThresholdScope?) -> String? {
        switch (bound.measure, bound.comparison) {
        case (.latency, .below) where bound.limit == 0, (.latency, .atMost) where bound.limit == 0:
            "every call takes some time"
        case (.errors, .below) where bound.limit == 0: "no share is less than nothing; write <= 0% for none at all"
        case (.throughput, .below) where bound.limit == 0: "no rate is less than nothing"
        case (.errors, .above) where bound.limit == 1: "no share is more than all"
        case (.throughput, .above), (.throughput, .atLeast):
            scope?.mostPerSecond(in: bound.scope).flatMap { most in
                bound.limit > most ? "by workload.rate at most \(bound.measure.words(most)) can be done there" : nil
            }
        default: nil
        }
    }

    /// Why every run meets the bound; `nil`: one may miss it.
    static func idle(_ bound: Threshold) -> String? {
        switch (bound.measure, bound.comparison) {
        case (.latency, .above) where bound.limit == 0, (.latency, .atLeast) where bound.limit == 0:
            "every call takes some time"
        case (.errors, .atLeast) where bound.limit == 0: "no share is less than nothing"
        case (.throughput, .atLeast) where bound.limit == 0: "no rate is less than nothing"
        case (.errors, .atMost) where bound.limit == 1: "no share is more than all"
        default: nil
        }
    }

    /// Two bounds of the same place that no value meets both, the upper one first.
    static func contradiction(_ bounds: [Threshold]) -> (Threshold, Threshold)? {
        for upper in bounds where upper.comparison == .below || upper.comparison == .atMost {
            for lower in bounds where lower.comparison == .above || lower.comparison == .atLeast {
                guard upper.scope == lower.scope else { continue }
                let meets = upper.comparison == .atMost && lower.comparison == .atLeast
                if lower.limit > upper.limit || lower.limit == upper.limit && !meets { return (upper, lower) }
            }
        }
        return nil
    }
}
