import ConnectionPool
import Testing

/// What `chaosrig simulate` found in the state machine, each as short as it got.
@Suite("Pool state machine: found by simulation")
struct FoundBySimulationTests {
    @Test("A resize that asks for fewer idle connections than are open tells that the pool is filled")
    func resizeFills() {
        var bench = MachineBench(PoolConfiguration(maxOpen: 1, minIdle: 1))
        #expect(bench.tell { $0.resize(maxOpen: 1, minIdle: 0, maxIdle: nil, now: $1) } == [.filled])
    }
}
