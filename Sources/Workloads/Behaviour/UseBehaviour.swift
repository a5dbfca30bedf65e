package import RigModel

/// What a client does in one use beside its operation. A value, drawn by ``BehaviourPlan``.
package struct UseBehaviour: Sendable, Equatable {
    package enum Abandoned: String, Sendable {
        /// A transaction, begun and never ended.
        case transaction
        /// A result, read in part.
        case result
    }

    package struct Cancel: Sendable, Equatable {
        package var at: CancelMoment
        /// After the moment has come.
        package var delay: Duration
        /// After the begin of the use, in a pool that does not tell its moments.
        package var delayElsewhere: Duration
        /// Not every use comes to its moment: whoever does is cancelled, as long as there were fewer cancels than wanted.
        package var isByQuota: Bool

        package init(
            at: CancelMoment, delay: Duration, delayElsewhere: Duration? = nil, isByQuota: Bool = false
        ) {
            self.at = at
            self.delay = delay
            self.delayElsewhere = delayElsewhere ?? delay
            self.isByQuota = isByQuota
        }
    }

    package var cancel: Cancel?
    package var throwsInside = false
    package var abandons: Abandoned?
    package var hold = Duration.zero
    package var isNested = false
    package var residue: [Residue] = []
    /// Tells residues of different uses apart.
    package var number: Int64 = 0

    package init() {}

    /// The client does nothing but its operation.
    var isPlain: Bool {
        cancel == nil && !throwsInside && abandons == nil && hold == .zero && !isNested && residue.isEmpty
    }
}
