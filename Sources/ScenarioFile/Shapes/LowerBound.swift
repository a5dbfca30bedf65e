import RigModel

/// The least that a value may be, whatever else the scenario says. The reader refuses less, and the JSON Schema knows it.
package struct LowerBound: Sendable, Equatable {
    /// Of a count. Of all else 1 stands for more than nothing.
    let least: Int
    /// What the reader expects: `at least 1 was expected`.
    let words: String

    func admits(_ value: ParameterValue) -> Bool {
        if let count = value.countValue { return count >= least }
        if let duration = value.durationValue { return duration > .zero }
        if let number = value.rateValue ?? value.shareValue { return number > 0 }
        return true
    }
}

extension SectionKey {
    func least(_ least: Int, _ words: String) -> Self {
        var key = self
        key.lowerBound = LowerBound(least: least, words: words)
        return key
    }

    /// More than nothing.
    ///
    /// - Parameter hint: follows what the reader expects: `; leave it out for never`.
    func positive(_ hint: String = "") -> Self { least(1, "\(expectation) was expected\(hint)") }

    private var expectation: String {
        switch form {
        case .value(let types), .valueOrSection(let types, _):
            switch types.first {
            case .duration: "more than 0s"
            case .rate: "more than 0/s"
            case .share: "more than 0%"
            default: "at least 1"
            }
        default: "more than 0"
        }
    }
}
