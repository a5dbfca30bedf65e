package import ConnectionPool
package import RigModel
package import Workloads

/// What a defect does to the calls between the pool and its clients. Each has the honest call as its default.
package protocol PoolDefect: Sendable {
    func use(_ request: UseRequest, of pool: any PoolUnderTest) async -> UseReport
    func gauges(_ honest: PoolGauges) -> PoolGauges
    func metrics(_ honest: [JSONValue.Member]) -> [JSONValue.Member]
    func close(_ pool: any PoolUnderTest) async -> Int
}

extension PoolDefect {
    package func use(_ request: UseRequest, of pool: any PoolUnderTest) async -> UseReport { await pool.use(request) }
    package func gauges(_ honest: PoolGauges) -> PoolGauges { honest }
    package func metrics(_ honest: [JSONValue.Member]) -> [JSONValue.Member] { honest }
    package func close(_ pool: any PoolUnderTest) async -> Int { await pool.close() }
}

/// A pool with a defect.
package struct PlantedPool: PoolUnderTest {
    private let base: any PoolUnderTest
    private let defect: any PoolDefect

    package init(_ base: any PoolUnderTest, _ defect: any PoolDefect) {
        self.base = base
        self.defect = defect
    }

    package func use(_ request: UseRequest) async -> UseReport { await defect.use(request, of: base) }
    package var gauges: PoolGauges { defect.gauges(base.gauges) }
    package func metrics() -> [JSONValue.Member] { defect.metrics(base.metrics()) }
    package func durations() -> PoolDurations? { base.durations() }
    package func openLeases() -> JSONValue { base.openLeases() }
    package var problems: [String] { base.problems }
    package func close() async -> Int { await defect.close(base) }
    package func refreshBooks() async { await base.refreshBooks() }
    package func takeAll(_ count: Int) async -> (got: Int, took: Duration)? { await base.takeAll(count) }
}
