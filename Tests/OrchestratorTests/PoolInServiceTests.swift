import ConnectionPool
import EventLoop
import FaultInjection
import RigModel
import RigTestSupport
import Testing
import Threading
import Workloads

@testable import Orchestrator

struct PoolInServiceTests {
    private final class CountedPool: PoolUnderTest {
        private let count = Lock(0)
        var closes: Int { count.withLock { $0 } }
        var gauges: PoolGauges { PoolGauges() }

        func use(_ request: UseRequest) async -> UseReport { UseReport(outcome: .ok, completion: Completion()) }
        func metrics() -> [JSONValue.Member] { [] }
        func openLeases() -> JSONValue { .array([]) }
        func close() async -> Int {
            count.withLock { $0 += 1 }
            return 0
        }
    }

    private struct Target: RunTarget {
        let pool: CountedPool

        var description: String { "" }
        var environment: [JSONValue.Member] { [] }
        var stage: FaultStage { preconditionFailure("nothing is injected") }
        func prepare(_ sink: any EventSink) async {}
        func prepareAgain(_ sink: any EventSink) async {}
        func makePool(_ sink: any EventSink) async -> any PoolUnderTest { pool }
        func outsideBooks(afterClose: Bool) async -> OutsideBooks { OutsideBooks() }
        func readFinalState(_ sink: any EventSink) async throws {}
        func tearDown() async -> [String] { [] }
    }

    @Test(arguments: [true, false])
    func poolIsClosedOnceWhetherARoundHasClosedItOrNot(isClosedByRound: Bool) async throws {
        let loop = try EventLoop(name: "test-service")
        defer { loop.shutdown() }
        let pool = CountedPool()
        let service = PoolInService(target: Target(pool: pool), runtime: LoopRuntime(loop: loop))
        let history = RecordingSink(runtime: ManualRuntime())
        // Without a pool there is nothing to close.
        await service.closeRest(within: .seconds(1))
        #expect(pool.closes == 0)
        _ = try await service.beginRound(history, try SoakFixture().scenario)
        if isClosedByRound {
            await service.close(within: .seconds(1), history)
            #expect(history.events.map(\.function) == ["closed"])
        }
        service.endRound()
        await service.closeRest(within: .seconds(1))
        await service.closeRest(within: .seconds(1))
        #expect(pool.closes == 1)
    }
}
