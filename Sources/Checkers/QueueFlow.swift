import RigModel

/// How many clients began to ask for a connection, were served, and stopped asking, in each fiftieth of a second. A
/// mergeable fold; 0.6 kB for each second. From that follows how many who asked later were served before someone, without
/// keeping all of them.
struct QueueFlow: Sendable {
    static let slice: Int64 = 20_000_000
    private static let slicesPerSecond = 50

    private struct Counts: Sendable {
        var asked: UInt32 = 0
        var served: UInt32 = 0
        /// Served or given up.
        var left: UInt32 = 0
    }

    private var seconds: [Int64: [Counts]] = [:]
    /// Operations that told when they were served.
    private(set) var servedCount = 0

    mutating func observe(_ event: Event) {
        guard case .worker = event.process else { return }
        switch event.kind {
        case .invoke: change(event.time) { $0.asked &+= 1 }
        case .ok, .fail, .info:
            if let leased = event.completion?.leasedAt {
                servedCount += 1
                change(leased) {
                    $0.served &+= 1
                    $0.left &+= 1
                }
            } else {
                change(event.time) { $0.left &+= 1 }
            }
        case .end: break
        }
    }

    mutating func merge(_ other: QueueFlow) {
        servedCount += other.servedCount
        seconds.merge(other.seconds) { mine, theirs in
            zip(mine, theirs).map {
                Counts(
                    asked: $0.asked &+ $1.asked, served: $0.served &+ $1.served, left: $0.left &+ $1.left)
            }
        }
    }

    /// All of it, ready for questions. O(seconds · log seconds).
    var sums: Sums {
        var sums = Sums()
        for (second, counts) in seconds.sorted(by: { $0.key < $1.key }) {
            for (position, count) in counts.enumerated() {
                sums.add(
                    second * Int64(Self.slicesPerSecond) + Int64(position), Int(count.asked) - Int(count.left),
                    Int(count.served))
            }
        }
        return sums
    }

    /// How long the queue was before each slice, and how many had been served.
    struct Sums {
        private var numbers: [Int64] = []
        /// Before the slice, and after the last one.
        private var waiting = [0]
        private var served = [0]

        fileprivate mutating func add(_ number: Int64, _ more: Int, _ served: Int) {
            numbers.append(number)
            waiting.append((waiting.last ?? 0) + more)
            self.served.append((self.served.last ?? 0) + served)
        }

        /// How many were served between two times at least that had begun to ask after the first one: those served in whole
        /// slices between them, less everybody who was in the queue at the first. O(log seconds).
        func servedOutOfTurn(from: Int64, to: Int64) -> Int {
            let first = (max(0, from) + QueueFlow.slice - 1) / QueueFlow.slice
            let last = max(0, to) / QueueFlow.slice
            guard first < last else { return 0 }
            let begin = position(of: first)
            return max(0, served[position(of: last)] - served[begin] - max(0, waiting[begin]))
        }

        /// Of the first slice that is not before the one with this number.
        private func position(of number: Int64) -> Int {
            var (low, high) = (0, numbers.count)
            while low < high {
                let middle = (low + high) / 2
                if numbers[middle] < number { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    private mutating func change(_ time: Int64, _ body: (inout Counts) -> Void) {
        let number = max(0, time) / Self.slice
        let (second, position) = number.quotientAndRemainder(dividingBy: Int64(Self.slicesPerSecond))
        body(&seconds[second, default: Array(repeating: Counts(), count: Self.slicesPerSecond)][Int(position)])
    }
}
