import RigModel

/// How long a delay was by a fault's own proof: evidence with pairs such as `round_trip_before_ms` and `round_trip_during_ms`, or
/// `insert_before_ms` and `insert_ms`.
enum ProvenDelay {
    /// The smallest difference of any pair; `nil` when there is no pair, or it shows nothing.
    static func nanoseconds(_ evidence: JSONValue?) -> Int64? {
        guard let evidence, case .object(let members) = evidence else { return nil }
        let mark = "_before_ms"
        let differences = members.compactMap { member -> Double? in
            guard member.key.hasSuffix(mark), let before = member.value.doubleValue else { return nil }
            let name = member.key.dropLast(mark.count)
            guard let during = (evidence["\(name)_during_ms"] ?? evidence["\(name)_ms"])?.doubleValue else {
                return nil
            }
            return during - before
        }
        guard let least = differences.min(), least >= 1, least < 1e9 else { return nil }
        return Int64(least * 1e6)
    }
}
