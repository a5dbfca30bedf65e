/// What the program of a packet queue is told on its command line, and what it answers. A value.
package struct PacketQueueOrder: Sendable, Equatable {
    /// Numbers of the queues, one for each direction.
    package var queues: [UInt16]
    /// Set in the mark of packets that go on.
    package var mark: UInt32
    package var plan: PacketFate.Plan
    package var seed: UInt64
    /// The run's folder: by it the program is known as the run's.
    package var folder: String

    package init(queues: [UInt16], mark: UInt32, plan: PacketFate.Plan, seed: UInt64, folder: String) {
        self.queues = queues
        self.mark = mark
        self.plan = plan
        self.seed = seed
        self.folder = folder
    }

    package var arguments: [String] {
        [
            queues.map { "\($0)" }.joined(separator: ","), "\(mark)", "\(seed)", "\(plan.delay)", "\(plan.jitter)",
            "\(plan.loss)",
            "\(plan.reorder)", "\(plan.reorderDelay)", folder,
        ]
    }

    /// - Returns: `nil` when these are not arguments of ``arguments``.
    package init?(_ arguments: [String]) {
        guard arguments.count == 9, let mark = UInt32(arguments[1]), let seed = UInt64(arguments[2]),
            let delay = Int64(arguments[3]), let jitter = Int64(arguments[4]), let loss = Double(arguments[5]),
            let reorder = Double(arguments[6]), let reorderDelay = Int64(arguments[7])
        else { return nil }
        var plan = PacketFate.Plan()
        (plan.delay, plan.jitter, plan.loss) = (delay, jitter, loss)
        (plan.reorder, plan.reorderDelay) = (reorder, reorderDelay)
        self.init(
            queues: arguments[0].split(separator: ",").compactMap { UInt16($0) }, mark: mark, plan: plan, seed: seed,
            folder: arguments[8])
    }
}

/// What a packet queue has done.
package struct PacketCounts: Sendable, Equatable {
    package var seen = 0
    package var delayed = 0
    package var lost = 0
    package var overtaken = 0

    package init() {}

    /// As the program writes it: one line of fixed length, always over the one before.
    package var line: String {
        "seen \(Self.wide(seen)) delayed \(Self.wide(delayed)) lost \(Self.wide(lost)) overtaken \(Self.wide(overtaken))\n"
    }

    package init?(line: String) {
        let words = line.split(whereSeparator: \.isWhitespace)
        guard words.count == 8 else { return nil }
        let numbers = stride(from: 1, to: 8, by: 2).compactMap { Int(words[$0]) }
        guard numbers.count == 4 else { return nil }
        (seen, delayed, lost, overtaken) = (numbers[0], numbers[1], numbers[2], numbers[3])
    }

    private static func wide(_ number: Int) -> String {
        let digits = "\(number)"
        return String(repeating: " ", count: max(0, 15 - digits.count)) + digits
    }
}
