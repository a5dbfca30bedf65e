import RigModel

/// The sum of all accounts before the workload and after it. Transfers move money, so it must not change. A mergeable
/// fold in constant memory.
struct MoneyBooks: Sendable {
    struct Count: Sendable {
        var index: Int
        var time: Int64
        var accounts: Int64
        var total: Int64
        var negative: Int64
    }

    private static let functions: Set = ["transfer", "pausing-transfer"]
    private(set) var before: Count?
    private(set) var after: Count?
    private(set) var transfersInvoked = 0
    private(set) var transfersOK = 0

    mutating func observe(_ event: Event) {
        if case .worker = event.process, Self.functions.contains(event.function) {
            if event.kind == .invoke { transfersInvoked += 1 }
            if event.kind == .ok { transfersOK += 1 }
        }
        guard event.process == .probe, event.function == "accounts" || event.function == "final-balances",
            let accounts = event.value["accounts"]?.intValue, let total = event.value["total"]?.intValue
        else { return }
        let count = Count(
            index: event.index, time: event.time, accounts: accounts, total: total,
            negative: event.value["negative"]?.intValue ?? 0)
        if event.function == "accounts" {
            before = before ?? count
        } else {
            after = count
        }
    }

    mutating func merge(_ other: MoneyBooks) {
        transfersInvoked += other.transfersInvoked
        transfersOK += other.transfersOK
        if let theirs = other.before { before = before.map { $0.index <= theirs.index ? $0 : theirs } ?? theirs }
        if let theirs = other.after { after = after.map { $0.index >= theirs.index ? $0 : theirs } ?? theirs }
    }

    /// Why the money cannot be judged; `nil` when it can, or when nothing moved any.
    var problem: String? {
        if transfersInvoked == 0 { return nil }
        if before == nil { return "the accounts were not summed up before the workload" }
        return after == nil ? "the accounts were not summed up at the end" : nil
    }

    func findings(_ faults: FaultWindows) -> [Finding] {
        guard let before, let after else { return [] }
        var findings: [Finding] = []
        func add(_ title: String, expected: String, seen: String) {
            findings.append(
                Finding(
                    title: title, expected: expected, seen: seen, events: [before.index, after.index], time: after.time,
                    activeFault: faults.words(from: before.time, to: after.time)))
        }
        if before.total != after.total {
            let (difference, _) = after.total.subtractingReportingOverflow(before.total)
            add(
                difference < 0 ? "Money was lost in transfers" : "Money came from nowhere in transfers",
                expected: "the accounts still sum up to \(before.total)",
                seen: "\(after.total), a difference of \(difference) over \(counted(transfersOK, "transfer")) that "
                    + "succeeded")
        }
        if before.accounts != after.accounts {
            add("Accounts appeared or vanished", expected: "\(before.accounts) accounts", seen: "\(after.accounts)")
        }
        return findings
    }
}
