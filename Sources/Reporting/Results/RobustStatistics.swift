import Glibc

/// Numbers about numbers that a few bad values do not move.
enum RobustStatistics {
    /// The middle value, or the mean of the two middle ones; `nil` without any. O(*n* log *n*).
    static func median(_ values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let half = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
    }

    /// The value that a tenth of the values exceed; 0 without any. O(*n* log *n*).
    static func ninetiethPercentile(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.sorted()[Int((0.9 * Double(values.count - 1)).rounded())]
    }

    /// What Student's *t* exceeds with this probability (one tail).
    ///
    /// - Parameter tail: in `0 ..< 0.5`; what is smaller than 1e-15 counts as that.
    static func criticalValue(tail: Double, degreesOfFreedom: Double) -> Double {
        let wanted = max(tail, 1e-15)
        var low = 0.0
        var high = 1.0
        while upperTail(high, degreesOfFreedom) > wanted, high < 1e9 { high *= 2 }
        for _ in 0..<80 {
            let middle = (low + high) / 2
            if upperTail(middle, degreesOfFreedom) > wanted { low = middle } else { high = middle }
        }
        return high
    }

    /// The probability that Student's *t* exceeds `t >= 0`: half of the regularised incomplete beta function.
    private static func upperTail(_ t: Double, _ freedom: Double) -> Double {
        incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5) / 2
    }

    /// I_x(a, b) by its continued fraction (NIST Digital Library of Mathematical Functions, 8.17.22), evaluated from the front.
    private static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
        if x <= 0 { return 0 }
        if x >= 1 { return 1 }
        // The fraction converges fast on this side only.
        if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(1 - x, b, a) }
        let logFactor = lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1 - x)
        let tiny = 1e-300
        var value = 1.0
        var numerator = 1.0
        var denominator = 0.0
        for step in 0..<400 {
            let m = Double(step / 2)
            let coefficient: Double =
                if step == 0 {
                    1
                } else if step % 2 == 0 {
                    m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
                } else {
                    -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
                }
            denominator = 1 + coefficient * denominator
            if abs(denominator) < tiny { denominator = tiny }
            denominator = 1 / denominator
            numerator = 1 + coefficient / numerator
            if abs(numerator) < tiny { numerator = tiny }
            let change = numerator * denominator
            value *= change
            if abs(change - 1) < 1e-12 { break }
        }
        return exp(logFactor) * (value - 1) / a
    }
}
