import RigModel
import Testing

@testable import Checkers

@Test func smallestKeepsTheFirstFewHoweverTheyCome() {
    var random = SeededGenerator(seed: 3)
    let numbers = (0..<1000).shuffled(using: &random)
    var one = Smallest<Int>(limit: 7)
    var halves = (Smallest<Int>(limit: 7), Smallest<Int>(limit: 7))
    for (position, number) in numbers.enumerated() {
        one.add(number)
        if position % 3 == 0 { halves.0.add(number) } else { halves.1.add(number) }
    }
    halves.0.merge(halves.1)
    #expect(one.elements == Array(0..<7))
    #expect(halves.0.elements == Array(0..<7))
    #expect(one.total == 1000 && halves.0.total == 1000)
}

@Test func sketchIsWithinSixPercentOfTheTruth() throws {
    var random = SeededGenerator(seed: 5)
    var sketch = LatencySketch()
    var parts = (LatencySketch(), LatencySketch())
    var truth: [Int64] = []
    for position in 0..<5000 {
        let value = Int64(1000 * (1 / (1.0001 - random.nextUnit())))
        truth.append(value)
        sketch.add(nanoseconds: value)
        if position % 2 == 0 { parts.0.add(nanoseconds: value) } else { parts.1.add(nanoseconds: value) }
    }
    truth.sort()
    for quantile in [0.5, 0.95, 0.999, 1] {
        let exact = truth[Int((quantile * 5000).rounded(.up)) - 1]
        let estimate = try #require(sketch.nanoseconds(atQuantile: quantile))
        #expect(estimate >= exact && Double(estimate) <= Double(exact) * 1.0625 + 1)
    }
    parts.0.merge(parts.1)
    #expect(parts.0 == sketch)
    #expect(LatencySketch().nanoseconds(atQuantile: 0.5) == nil)
    var extremes = LatencySketch()
    extremes.add(nanoseconds: -5)
    extremes.add(nanoseconds: .max)
    #expect(extremes.nanoseconds(atQuantile: 0.1) == 0)
    #expect(extremes.nanoseconds(atQuantile: 1) == .max)
}

@Test func findingsAreSharedOutFairlyAmongTheirClasses() {
    func some(_ name: String, _ count: Int) -> [Finding] {
        (0..<count).map { Finding(title: "\(name)\($0)", expected: "", seen: "") }
    }
    var findings = Findings()
    findings.add(some("a", 30), total: 300)
    findings.add([])
    findings.add(some("b", 2))
    #expect(findings.total == 302)
    #expect(findings.selection.map(\.title) == (0..<18).map { "a\($0)" } + ["b0", "b1"])
    #expect(findings.remark == " (the first 20 of 302 findings are listed)")
}

@Test func gaugeMedianIsWeightedByTime() {
    var gauges = GaugeRuns()
    for step in 0..<100 {
        gauges.observe(
            Event(
                index: step, time: Int64(step) * 50, kind: .info, process: .pool, function: "gauges",
                value: ["open": step < 30 ? 2 : 9]))
    }
    #expect(gauges.medianOpen(in: 0..<5000) == 9)
    #expect(gauges.medianOpen(in: 0..<2000) == 2)
    #expect(gauges.medianOpen(in: 9000..<9999) == nil)
    #expect(gauges.firstTime(atLeast: 9, from: 100, before: 5000) == 1500)
    #expect(gauges.firstTime(atLeast: 9, from: 100, before: 1500) == nil)
    #expect(gauges.firstDip(below: 9, in: 100..<200) == 100)
    #expect(gauges.firstDip(below: 9, in: 2000..<3000) == nil)
}
