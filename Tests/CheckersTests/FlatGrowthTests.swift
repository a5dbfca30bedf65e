import Checkers
import RigModel
import Testing

/// Samples every 250 ms: memory in megabytes and descriptors as functions of the second.
private func judged<C: Checker>(
    _ type: C.Type, until end: Double = 30, parameters: [String: ParameterValue] = [:],
    memory: (Double) -> Double = { _ in 40 },
    descriptors: (Double) -> Int = { _ in 40 }, sockets: (Double) -> Int = { _ in 10 },
    _ more: (inout HistoryBuilder) -> Void = { _ in }
) -> InvariantResult {
    judge(
        type,
        HistoryBuilder.history { history in
            history.phases()
            for step in 0..<Int(end * 4) {
                let second = Double(step) / 4
                history.probe(
                    "sample",
                    [
                        "descriptors": JSONValue(descriptors(second)), "client_sockets": JSONValue(sockets(second)),
                        "rss_bytes": .int(Int64(memory(second) * 1e6)),
                    ], at: s(second))
            }
            more(&history)
        }, Parameters(parameters))
}

@Test func memoryThatStaysIsValid() {
    let result = judged(FlatMemory.self) { 40 + ($0 < 1 ? $0 * 10 : 10) }
    #expect(result.verdict == .valid)
    #expect(result.summary == "memory from 50 MB to 50 MB in 28.8 s, 0 B a second (limit 1 MB a second)")
}

@Test func memoryThatGrowsIsAFinding() {
    let result = judged(FlatMemory.self) {
        40 + $0 * 2
    } _: {
        $0.fault(0, inject: s(5), heal: s(6))
    }
    #expect(
        result.findings == [
            Finding(
                title: "The memory grew by 2 MB a second", expected: "at most 1 MB a second, or 16 MB in all",
                seen: "from 47.5 MB to 94 MB in 28.8 s",
                events: [6, 126],
                time: 1_000_000_000, activeFault: "restart #0 (immediate, down for 2 s)")
        ])
    #expect(
        judged(FlatMemory.self, parameters: ["per-second": .dataRate(bytesPerSecond: 3e6)]) { 40 + $0 * 2 }.verdict
            == .valid)
    #expect(judged(FlatMemory.self, parameters: ["floor": .count(60)]) { 40 + $0 * 2 }.verdict == .valid)
}

@Test func peakThatIsTakenBackIsNoGrowth() {
    #expect(judged(FlatMemory.self) { $0 > 10 && $0 < 20 ? 400 : 40 }.verdict == .valid)
}

@Test func processThatWasStartedAnewIsWatchedFromThen() {
    let result = judged(FlatMemory.self) {
        $0 < 12 ? 40 + $0 * 9 : 50
    } _: {
        $0.pool("process-ended", ["pid": 1, "reason": "killed"], at: s(12))
    }
    #expect(result.verdict == .valid)
    #expect(result.measured["watched_s"] == 17.75)
}

@Test func descriptorsThatGrowAreAFindingAndSocketsOfConnectionsAreNot() {
    #expect(judged(FlatDescriptors.self, descriptors: { 40 + Int($0) }, sockets: { 10 + Int($0) }).verdict == .valid)
    let result = judged(FlatDescriptors.self, descriptors: { 40 + Int($0) })
    #expect(result.findings.map(\.title) == ["The number of descriptors grew by 1 a second"])
    #expect(result.findings.first?.expected == "at most 0.25 a second, or 20 in all")
    // Fewer than the floor in all.
    #expect(judged(FlatDescriptors.self, descriptors: { 40 + Int($0 / 2) }).verdict == .valid)
}

@Test func shortOrEmptySeriesIsNotJudged() {
    #expect(
        judged(FlatMemory.self, until: 8).summary
            == "not judged: the memory was watched for 6.75 s, and it takes 10 s to judge it")
    #expect(
        judged(FlatDescriptors.self, until: 2).summary
            == "not judged: there are fewer than ten samples of the number of descriptors")
    #expect(judge(FlatMemory.self, []).verdict == .unknown)
}

@Test func longSeriesIsThinnedAndStillSeen() {
    // Twelve thousand samples, of which every fourth is kept; the load ends at 30 s.
    let result = judged(FlatDescriptors.self, until: 3000, descriptors: { 40 + Int($0 * 2) })
    #expect(result.verdict == .invalid)
    #expect(result.measured["samples"] == 30)
}
