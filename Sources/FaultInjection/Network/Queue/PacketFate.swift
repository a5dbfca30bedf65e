import RigModel

/// What becomes of each packet that is handed to the rig. Pure; the same seed gives the same fates.
package struct PacketFate: Sendable {
    /// What is done to packets. Times in nanoseconds.
    package struct Plan: Sendable, Equatable {
        package var delay: Int64 = 0
        /// Each delay varies by up to ± this.
        package var jitter: Int64 = 0
        /// Share of the packets that are lost, in `0...1`.
        package var loss = 0.0
        /// Share of the packets that are held back for ``reorderDelay``, so that later ones overtake them.
        package var reorder = 0.0
        package var reorderDelay: Int64 = 0

        package init() {}
    }

    package enum Verdict: Sendable, Equatable {
        case lost
        /// Goes on at this time (monotonic, in ns); where it is held back for others, later ones may go before.
        case passes(at: Int64)
    }

    private let plan: Plan
    private var generator: SeededGenerator
    /// Of the packets that keep their order.
    private var last: Int64 = .min

    package init(plan: Plan, seed: UInt64) {
        self.plan = plan
        generator = SeededGenerator(seed: seed, stream: "packets")
    }

    /// - Parameter now: monotonic, in ns; never less than at the call before.
    package mutating func verdict(at now: Int64) -> Verdict {
        // Always as many draws, so that one packet's fate does not depend on what became of another.
        let lossDraw = Double.random(in: 0..<1, using: &generator)
        let reorderDraw = Double.random(in: 0..<1, using: &generator)
        let shift = plan.jitter > 0 ? Int64.random(in: -plan.jitter...plan.jitter, using: &generator) : 0
        if lossDraw < plan.loss { return .lost }
        if reorderDraw < plan.reorder { return .passes(at: now + plan.delay + plan.reorderDelay) }
        last = max(last, now + max(0, plan.delay + shift))
        return .passes(at: last)
    }
}
