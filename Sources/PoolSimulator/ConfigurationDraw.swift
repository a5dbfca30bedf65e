package import ConnectionPool
import RigModel

extension PoolConfiguration {
    /// A small pool with random limits. Its times are short, so that a life of some hundred events sees them pass.
    package static func drawn(seed: UInt64) -> PoolConfiguration {
        var draw = SeededGenerator(seed: seed, stream: "configuration")
        func number(_ range: ClosedRange<Int>) -> Int {
            range.lowerBound + Int(draw.next() % UInt64(range.count))
        }
        func milliseconds(_ range: ClosedRange<Int>) -> Duration { .milliseconds(number(range)) }
        func perhaps<Value>(_ value: @autoclosure () -> Value) -> Value? { draw.next() & 1 == 0 ? value() : nil }
        let maxOpen = number(1...6)
        return PoolConfiguration(
            maxOpen: maxOpen, minIdle: number(0...maxOpen), maxIdle: perhaps(number(0...maxOpen)),
            maxWaiters: perhaps(number(1...6)), maxLifetime: perhaps(milliseconds(10...500)),
            maxLifetimeJitter: Double(number(0...5)) / 10, maxIdleTime: perhaps(milliseconds(5...300)),
            connectTimeout: milliseconds(2...150), checkTimeout: milliseconds(2...300),
            releaseTimeout: milliseconds(2...150), checkAfterIdle: milliseconds(0...60),
            idleOrder: perhaps(.roundRobin) ?? .lastUsedFirst,
            healthCheckInterval: perhaps(milliseconds(20...400)) ?? milliseconds(400...5000),
            leakThreshold: perhaps(milliseconds(10...200)),
            overtaking: perhaps(milliseconds(1...20)) ?? .zero, maxConnecting: number(1...4),
            connectsPerSecond: number(0...3) == 0 ? Double(number(50...1000)) : nil,
            breakerAfter: perhaps(milliseconds(5...150)), isInstrumented: number(0...3) == 0,
            backoffFirst: milliseconds(1...20), backoffCap: milliseconds(10...100))
    }
}
