package import RigModel

/// Money is neither made nor lost: the accounts hold at the end what they held before.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct MoneyConserved: Checker {
    package static let shape = Shape(
        name: "money-conserved", summary: "transfers neither make nor lose money: the accounts still sum up")

    package static let explanation = Explanation(
        claims: """
            The sum of all accounts and their number are the same after the workload as before it. Half a transfer, a
            transfer that is done twice on one side, or one whose transaction was passed on to another client changes
            the sum.
            """,
        needs: """
            The sum before and after (`probe/accounts`, `probe/final-balances`), and one transfer that succeeded.
            """,
        cannotSee: """
            A whole transfer that is lost or doubled (retry-correctness sees that of appends), and two errors that
            cancel out.
            """)

    private var faults = FaultWindows()
    private var money = MoneyBooks()

    package init(_ parameters: Parameters) {}

    package mutating func observe(_ event: Event) {
        faults.observe(event)
        money.observe(event)
    }

    package mutating func merge(_ other: MoneyConserved) {
        faults.merge(other.faults)
        money.merge(other.money)
    }

    package func finish() -> InvariantResult {
        var findings = Findings()
        findings.add(money.findings(faults))
        let total = money.after.map { String($0.total) } ?? "unknown"
        return .judged(
            Self.shape.name, findings, unknown: reason,
            facts: "\(counted(money.transfersOK, "transfer")) of \(money.transfersInvoked) succeeded, sum \(total)",
            measured: [
                "transfers": JSONValue(money.transfersInvoked), "transfers_ok": JSONValue(money.transfersOK),
                "before": money.before.map { .int($0.total) } ?? .null,
                "after": money.after.map { .int($0.total) } ?? .null,
                "negative_accounts": money.after.map { .int($0.negative) } ?? .null,
            ])
    }

    private var reason: String? {
        if let problem = money.problem { return problem }
        return money.transfersOK == 0 ? "no transfer ever succeeded" : nil
    }
}
