import ConnectionPool
import EventLoop
import RigModel
import RigTestSupport
import Testing
import Threading
import Workloads

@testable import Orchestrator

/// Answers what it is told to when all its connections are asked for.
private struct AnsweringPool: PoolUnderTest {
    let answer: (got: Int, took: Duration)?
    func use(_ request: UseRequest) async -> UseReport { UseReport(outcome: .fail, completion: Completion()) }
    var gauges: PoolGauges { PoolGauges() }
    func metrics() -> [JSONValue.Member] { [] }
    func openLeases() -> JSONValue { .array([]) }
    func close() async -> Int { 0 }
    func takeAll(_ count: Int) async -> (got: Int, took: Duration)? { answer }
}

@Suite(.timeLimit(.minutes(15)))
struct RecoveryProbeTests {
    private func heal(_ probe: RecoveryProbe, forced: Bool = false) {
        let fact = NemesisFact.heal(fault: 0, kind: "restart", ok: true, forced: forced, facts: [:])
        probe.record(.info, .nemesis, fact.function, fact.value)
    }

    @Test("After a heal, once operations succeed again, all connections are asked for, and the answer is told")
    func asksAfterAHeal() async throws {
        let loop = try EventLoop(name: "test-recovery")
        defer { loop.shutdown() }
        let sink = RecordingSink(runtime: ManualRuntime())
        let probe = RecoveryProbe(sink, maxOpen: 7, runtime: LoopRuntime(loop: loop))
        let successes = Watched(0)
        probe.start(
            AnsweringPool(answer: (got: 5, took: .milliseconds(3))), isDisturbed: { false },
            succeeded: {
                successes.change {
                    $0 += 30; return $0
                }
            })
        heal(probe)
        try await sink.wait { $0.contains { $0.function == "all-at-once" } }
        await probe.stop()
        #expect(sink.events.map(\.function) == ["restart", "all-at-once"])
        #expect(sink.events.last?.value == ["asked": 7, "got": 5, "took_ns": 3_000_000])
    }

    @Test(
        "Nothing is asked while another fault lasts, of a pool that cannot answer, or after the end of the run's schedule"
    )
    func keepsQuiet() async throws {
        let loop = try EventLoop(name: "test-recovery")
        defer { loop.shutdown() }
        for (answer, isDisturbed, forced) in [(1, true, false), (nil, false, false), (1, false, true)] {
            let sink = RecordingSink(runtime: ManualRuntime())
            let probe = RecoveryProbe(sink, maxOpen: 1, runtime: LoopRuntime(loop: loop))
            let looks = Watched(0)
            probe.start(
                AnsweringPool(answer: answer.map { (got: $0, took: .zero) }), isDisturbed: { isDisturbed },
                succeeded: {
                    looks.change {
                        $0 += 30; return $0
                    }
                })
            heal(probe, forced: forced)
            // Two looks: before the pause, and after it. A forced heal is never looked after.
            if !forced { try await looks.wait { $0 >= 60 } }
            await probe.stop()
            #expect(sink.events.map(\.function) == ["restart"])
        }
    }
}
