import ConnectionPool

/// Makes a life that breaks something as short and as plain as it can, on the same machine.
///
/// Works on the list of events and not on the seed: it leaves out events, half of them, a quarter, and so on down to single
/// ones and pairs (delta debugging, Zeller and Hildebrandt 2002), then makes numbers smaller and limits common. Whatever
/// still breaks something is kept; that may be another thing than at first.
///
/// - Complexity: some thousand lives of the length of the first at the worst; most are far shorter.
package struct Shrinker<Machine: SimulatedMachine> {
    private let make: MachineMaker<Machine>
    private(set) var best: SimulatedLife
    package private(set) var failure: SimulationFailure
    /// Lives that were tried.
    package private(set) var tries = 0

    /// - Returns: `nil` when the life breaks nothing on this machine.
    package init?(_ life: SimulatedLife, on make: @escaping MachineMaker<Machine>) {
        self.make = make
        let (happened, record) = life.relive(on: make)
        guard let failure = record.failure else { return nil }
        best = happened
        self.failure = failure
    }

    /// The shortest life that was found.
    package mutating func shrink() -> SimulatedLife {
        var before: SimulatedLife
        repeat {
            before = best
            dropChunks()
            if best.events.count <= Self.pairLimit { dropPairs() }
            simplifyConfiguration()
            simplifyEvents()
        } while best != before && tries < Self.tryLimit
        return best
    }

    /// Pairs are tried when there are at most so many events.
    private static var pairLimit: Int { 24 }
    private static var tryLimit: Int { 20_000 }

    /// Keeps a candidate that still breaks something.
    private mutating func accept(_ candidate: SimulatedLife) -> Bool {
        tries += 1
        let (happened, record) = candidate.relive(on: make)
        guard let found = record.failure else { return false }
        best = happened
        failure = found
        return true
    }

    private mutating func dropChunks() {
        var size = max(1, best.events.count / 2)
        while true {
            var end = best.events.count
            // From the end: what came last depends on what came before.
            while end > 0 {
                let start = max(0, end - size)
                var candidate = best
                candidate.events.removeSubrange(start..<end)
                end = accept(candidate) ? min(start, best.events.count) : start
            }
            if size == 1 { return }
            size = max(1, size / 2)
        }
    }

    private mutating func dropPairs() {
        var first = 0
        while first < best.events.count {
            var second = first + 1
            while second < best.events.count {
                var candidate = best
                candidate.events.remove(at: second)
                candidate.events.remove(at: first)
                if accept(candidate) { return dropPairs() }
                second += 1
            }
            first += 1
        }
    }

    /// Takes the default wherever it does, and the smallest pool.
    private mutating func simplifyConfiguration() {
        let plain = PoolConfiguration()
        let simplifications: [(inout PoolConfiguration) -> Void] = [
            { $0.minIdle = 0 }, { $0.maxIdle = nil }, { $0.maxWaiters = nil }, { $0.maxLifetime = nil },
            { $0.maxLifetimeJitter = plain.maxLifetimeJitter }, { $0.maxIdleTime = nil },
            { $0.connectTimeout = plain.connectTimeout }, { $0.checkTimeout = plain.checkTimeout },
            { $0.releaseTimeout = plain.releaseTimeout }, { $0.checkAfterIdle = plain.checkAfterIdle },
            { $0.idleOrder = plain.idleOrder }, { $0.healthCheckInterval = plain.healthCheckInterval },
            { $0.leakThreshold = nil }, { $0.overtaking = .zero }, { $0.maxConnecting = plain.maxConnecting },
            { $0.connectsPerSecond = nil }, { $0.breakerAfter = plain.breakerAfter },
            { $0.isInstrumented = plain.isInstrumented }, { $0.backoffFirst = plain.backoffFirst },
            { $0.backoffCap = plain.backoffCap },
        ]
        for simplify in simplifications {
            var candidate = best
            simplify(&candidate.configuration)
            if candidate.configuration != best.configuration { _ = accept(candidate) }
        }
        for smaller in 1..<max(1, best.configuration.maxOpen) {
            var candidate = best
            candidate.configuration.maxOpen = smaller
            candidate.configuration.minIdle = min(smaller, candidate.configuration.minIdle)
            if accept(candidate) { break }
        }
        var candidate = best
        candidate.machineSeed = 1
        if candidate != best { _ = accept(candidate) }
    }

    /// Round and small numbers; plain ways in place of special ones.
    private mutating func simplifyEvents() {
        var index = 0
        while index < best.events.count {
            for simpler in best.events[index].simpler {
                guard index < best.events.count else { return }
                var candidate = best
                candidate.events[index] = simpler
                if accept(candidate) { break }
            }
            index += 1
        }
    }
}

extension SimulatedLife {
    /// The shortest life that breaks something on the real machine, and what it breaks; `nil` when this one breaks nothing.
    package func shrunk() -> (life: SimulatedLife, failure: SimulationFailure)? {
        guard var shrinker = Shrinker(self, on: realMachine) else { return nil }
        let life = shrinker.shrink()
        return (life, shrinker.failure)
    }
}

extension SimulatedEvent {
    /// The same in plainer ways, the plainest first.
    fileprivate var simpler: [SimulatedEvent] {
        switch self {
        case .borrow(let budget, let loop):
            return Self.rounder(budget, atLeast: [1_000_000_000]).map { .borrow(within: $0, loop: 0) }
                + (loop == 0 ? [] : [.borrow(within: budget, loop: 0)])
        case .queue(let budget, let loop):
            return [.borrow(within: budget, loop: loop)]
                + Self.rounder(budget, atLeast: [1_000_000_000]).map { .queue(within: $0, loop: 0) }
                + (loop == 0 ? [] : [.queue(within: budget, loop: 0)])
        case .pass(let duration): return Self.rounder(duration).map { .pass($0) }
        case .stall(let duration): return [.pass(duration)] + Self.rounder(duration).map { .stall($0) }
        case .giveBack(let lease, .clean): return [.release(lease: lease)]
        case .close(let cancelAfter, let cutAfter):
            return (cancelAfter == nil ? [] : [.close(cancelAfter: nil, cutAfter: cutAfter)])
                + Self.rounder(cutAfter).map { .close(cancelAfter: cancelAfter.map { _ in 0 }, cutAfter: $0) }
        case .resize(let maxOpen, let minIdle, let maxIdle):
            return [
                .resize(maxOpen: 1, minIdle: 0, maxIdle: nil), .resize(maxOpen: maxOpen, minIdle: 0, maxIdle: nil),
                .resize(maxOpen: maxOpen, minIdle: 0, maxIdle: maxIdle),
                .resize(maxOpen: maxOpen, minIdle: minIdle, maxIdle: nil),
            ].filter { $0 != self }
        default: return []
        }
    }

    /// Durations that are rounder than this one.
    private static func rounder(_ duration: Int, atLeast first: [Int] = []) -> [Int] {
        if first.contains(duration) { return [] }
        let millisecond = 1_000_000
        let candidates =
            first + [0, millisecond, 10 * millisecond, 100 * millisecond, 1_000 * millisecond]
            + [100_000_000, 10_000_000, millisecond, 1_000].map { (duration / $0 + 1) * $0 }
        // Never to a number that is less round: the shrinking must end.
        return candidates.filter { $0 != duration && (roundness($0) > roundness(duration) || $0 == 0) }
    }

    /// Zeros at the end of the number.
    private static func roundness(_ number: Int) -> Int {
        var rest = number
        var zeros = 0
        while rest != 0, rest % 10 == 0 {
            rest /= 10
            zeros += 1
        }
        return number == 0 ? 20 : zeros
    }
}
