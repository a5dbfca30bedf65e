import RigModel

/// Findings by class of violation. Not all that were found fit into a report: each class gets its share, so that three
/// hundred of one sort cannot hide the single one of another.
struct Findings {
    private var classes: [(findings: [Finding], total: Int)] = []

    /// All that were found, also those that were not kept.
    var total: Int { classes.reduce(0) { $0 + $1.total } }
    var isEmpty: Bool { total == 0 }

    /// - Parameters:
    ///   - findings: the first few of the class, in order.
    ///   - total: how many there were in all; at least as many as `findings`.
    mutating func add(_ findings: [Finding], total: Int? = nil) {
        let total = max(total ?? 0, findings.count)
        if total > 0 { classes.append((findings, total)) }
    }

    /// At most ``InvariantResult/findingLimit``, taken from the classes in turn, classes in the order of adding.
    var selection: [Finding] {
        var shares = classes.map { _ in 0 }
        var left = InvariantResult.findingLimit
        while left > 0 {
            var given = false
            for position in classes.indices where left > 0 && shares[position] < classes[position].findings.count {
                shares[position] += 1
                left -= 1
                given = true
            }
            if !given { break }
        }
        return zip(classes, shares).flatMap { $0.findings.prefix($1) }
    }

    /// ` (the first 20 of 312 findings are listed)`, or nothing.
    var remark: String {
        total > selection.count ? " (the first \(selection.count) of \(total) findings are listed)" : ""
    }
}

/// `1 connection`, `3 connections`.
func counted(_ number: some BinaryInteger, _ noun: String, plural: String? = nil) -> String {
    number == 1 ? "1 \(noun)" : "\(number) \(plural ?? noun + "s")"
}

extension Duration {
    /// Whole nanoseconds, at most ``Event/timeLimit`` either way, so that sums with times never overflow.
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let limit = Event.timeLimit / 1_000_000_000
        return min(max(seconds, -limit), limit) * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}

extension Event.Process {
    /// `worker 4`, or the name in the history.
    var words: String {
        switch self {
        case .worker(let number): "worker \(number)"
        case .nemesis: "nemesis"
        case .pool: "pool"
        case .probe: "probe"
        }
    }
}

extension JSONValue {
    /// The number under `key` as a duration: `nil` when absent, else held within `0...Event.timeLimit`.
    func nanoseconds(_ key: String) -> Int64? {
        self[key]?.intValue.map { min(max($0, 0), Event.timeLimit) }
    }

    /// A duration as milliseconds with three decimals, for `measured`.
    static func milliseconds(_ nanoseconds: Int64?) -> JSONValue {
        nanoseconds.map { .double((Double($0) / 1e3).rounded() / 1e3) } ?? .null
    }

    /// A duration as seconds with three decimals, for `measured`.
    static func seconds(_ nanoseconds: Int64?) -> JSONValue {
        nanoseconds.map { .double((Double($0) / 1e6).rounded() / 1e3) } ?? .null
    }
}
