package import RigModel

/// A mergeable fold over the history. It sees events one by one, may be merged with another that saw other processes of
/// the same run, and then finishes.
///
/// Memory is bounded, or grows with the time of the run, the faults, and the connections (each by tens of bytes), but for three that
/// must know every operation: appends and rows 20 and 8 bytes each (`retry-correctness`), uses of a connection 10 bytes each
/// (`exclusive-checkout`), what was left on a connection 12 bytes each (`clean-leases`).
///
/// Law (tested): splitting any history by process, folding the parts and merging them gives the same result.
package protocol Checker: Sendable {
    /// Name and parameters in the scenario file.
    static var shape: Shape { get }
    /// What its verdict is worth, for docs/invariants.md.
    static var explanation: Explanation { get }
    /// It holds times or rates of a noisy machine against bounds: a single finding may be the machine's, and can be confirmed by
    /// running again. `false`: each finding is a proof.
    static var isMeasurement: Bool { get }
    init(_ parameters: Parameters)
    mutating func observe(_ event: Event)
    mutating func merge(_ other: Self)
    func finish() -> InvariantResult
    /// Violations that are certain already, for whoever watches the run; `nil` where they are known at the end only.
    var violationsSoFar: Int? { get }
}

extension Checker {
    package static var isMeasurement: Bool { false }
    package var violationsSoFar: Int? { nil }
}

/// What an invariant says and what it does not, in Markdown.
package struct Explanation: Sendable, Equatable {
    package let claims: String
    /// What it must have seen, else its verdict is unknown.
    package let needs: String
    package let cannotSee: String

    package init(claims: String, needs: String, cannotSee: String) {
        self.claims = claims
        self.needs = needs
        self.cannotSee = cannotSee
    }
}
