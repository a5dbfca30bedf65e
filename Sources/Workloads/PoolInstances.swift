package import ConnectionPool
package import RigModel
import Threading

/// Several pools side by side on one database, as the instances of a program that was deployed more than once. Thread-safe.
///
/// Uses go to them in turn. In the history they are one pool: limits and counters are sums, and connections of the second
/// instance count from 1000001, those of the third from 2000001.
package final class PoolInstances: PoolUnderTest {
    private static let numberOffset = 1_000_000

    private let pools: [any PoolUnderTest]
    private let nextTurn = Lock(0)

    /// - Parameters:
    ///   - count: at least 1.
    ///   - sink: for all of them.
    ///   - make: makes one that tells this sink of itself.
    package init<Failure>(
        count: Int, sink: any EventSink, make: (any EventSink) async throws(Failure) -> any PoolUnderTest
    ) async throws(Failure) {
        var pools: [any PoolUnderTest] = []
        for number in 0..<count {
            do throws(Failure) {
                pools.append(try await make(NumberingSink(sink, offset: number * Self.numberOffset)))
            } catch {
                for pool in pools { _ = await pool.close() }
                throw error
            }
        }
        self.pools = pools
    }

    package func use(_ request: UseRequest) async -> UseReport {
        let turn = nextTurn.withLock { turn in
            defer { turn = (turn + 1) % pools.count }
            return turn
        }
        var report = await pools[turn].use(request)
        NumberingSink.renumber(&report.completion, by: turn * Self.numberOffset)
        return report
    }

    package var gaugesOfEach: [PoolGauges] { pools.map(\.gauges) }

    package var gauges: PoolGauges {
        var sum = PoolGauges()
        for gauges in pools.map(\.gauges) {
            sum.open += gauges.open
            sum.idle += gauges.idle
            sum.inUse += gauges.inUse
            sum.connecting += gauges.connecting
            sum.waiting += gauges.waiting
        }
        return sum
    }

    package var tellsGauges: Bool { pools.allSatisfy(\.tellsGauges) }

    package var tellsConnecting: Bool { pools.allSatisfy(\.tellsConnecting) }

    /// Sums; what cannot be summed (quantiles, shares) is left out.
    package func metrics() -> [JSONValue.Member] {
        let all = pools.map { $0.metrics() }
        return all[0].compactMap { member in
            guard case .int = member.value else { return nil }
            let sum = all.reduce(0) { sum, members in
                sum + (members.first { $0.key == member.key }?.value.intValue ?? 0)
            }
            return JSONValue.Member(member.key, .int(sum))
        }
    }

    package func durations() -> PoolDurations? {
        pools.reduce(into: PoolDurations?.none) { sum, pool in
            guard let durations = pool.durations() else { return }
            sum = sum ?? PoolDurations()
            sum?.merge(durations)
        }
    }

    package func refreshBooks() async { for pool in pools { await pool.refreshBooks() } }

    package func openLeases() -> JSONValue {
        .array(
            pools.enumerated().flatMap { number, pool in
                (pool.openLeases().arrayValue ?? []).map {
                    NumberingSink.renumber($0, by: number * Self.numberOffset)
                }
            })
    }

    package var problems: [String] { pools.flatMap(\.problems) }

    package func close() async -> Int {
        await withTaskGroup(of: Int.self) { group in
            for pool in pools { group.addTask { await pool.close() } }
            return await group.reduce(0, +)
        }
    }

    package func takeAll(_ count: Int) async -> (got: Int, took: Duration)? {
        let share = count / pools.count
        return await withTaskGroup(of: (got: Int, took: Duration)?.self) { group in
            for pool in pools { group.addTask { await pool.takeAll(share) } }
            var all = (got: 0, took: Duration.zero)
            for await answer in group {
                guard let answer else { return nil }
                all = (all.got + answer.got, max(all.took, answer.took))
            }
            return all
        }
    }
}
