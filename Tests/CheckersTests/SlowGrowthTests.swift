import Checkers
import RigModel
import Testing

/// Samples every ten seconds for `minutes`, and `operations` in all.
private func run<C: Checker>(
    _ type: C.Type, minutes: Double = 30, operations: Int = 0,
    _ value: (Double) -> (descriptors: Double, megabytes: Double)
) -> InvariantResult {
    judge(
        type,
        HistoryBuilder.history { history in
            history.phase("steady", at: 0)
            for step in 0..<Int(minutes * 6) {
                let now = value(Double(step) / 6)
                history.probe(
                    "sample",
                    [
                        "descriptors": JSONValue(Int(now.descriptors)), "client_sockets": 0,
                        "rss_bytes": .int(Int64(now.megabytes * 1e6)),
                    ], at: s(Double(step) * 10))
            }
            for number in 0..<operations { history.operation("read", by: number, from: 1, to: 2) }
        })
}

@Test func slowLeakIsSeenInALongRun() {
    let few = run(FlatDescriptors.self) { (70 + $0 * 8, 100) }
    #expect(few.findings.map(\.title) == ["The number of descriptors grew by 192, slowly and steadily"])
    #expect(run(FlatDescriptors.self, minutes: 12) { (70 + $0 * 8, 100) }.verdict == .valid)
    let much = run(FlatMemory.self) { (70, 200 + $0 * 40) }
    #expect(much.findings.first?.expected == "at most 160 MB in all")
    #expect(run(FlatMemory.self) { (70, 200 + $0 * 6) }.verdict == .valid)
}

@Test func oneStepIsNoLeak() {
    #expect(run(FlatDescriptors.self) { ($0 < 10 ? 70 : 300, 100) }.verdict == .valid)
}

@Test func whatTheRigKeepsOfEachOperationIsNoLeak() {
    // 160 MB and 100 bytes for each of 2000 operations.
    #expect(
        run(FlatMemory.self, operations: 2000) { (70, 200 + $0 * 40) }.findings.first?.expected
            == "at most 160.2 MB in all")
}
