import RigModel
import Testing

@testable import Checkers

private func log(_ spans: [Range<Int64>]) -> StallLog {
    var log = StallLog()
    for span in spans {
        log.observe(
            Event(
                index: 0, time: span.upperBound, kind: .info, process: .probe, function: "stall",
                value: ["late_ns": .int(span.upperBound - span.lowerBound)], completion: nil))
    }
    return log
}

@Test func overlappingStallsCountOnceHoweverTheyCome() {
    var random = SeededGenerator(seed: 11)
    for _ in 0..<200 {
        let spans = (0..<20).map { _ in
            let begin = Int64.random(in: 0..<180, using: &random)
            return begin..<begin + Int64.random(in: 1..<20, using: &random)
        }
        var whole = log(Array(spans.prefix(7)))
        whole.merge(log(Array(spans.dropFirst(7).shuffled(using: &random))))
        let from = Int64.random(in: 0..<200, using: &random)
        let to = Int64.random(in: from...200, using: &random)
        let truth = (from..<to).count { moment in spans.contains { $0.contains(moment) } }
        #expect(whole.stalled(from: from, to: to) == Int64(truth))
        #expect(whole.count == 20)
        #expect(whole.longest == spans.map { $0.upperBound - $0.lowerBound }.max())
    }
}
