import Glibc
import RigModel
import Testing

@testable import Reporting

struct SoakDriftTests {
    private func windows(_ count: Int, segment: Int = 1, from first: Int = 1, _ megabytes: (Int) -> Double)
        -> [SoakWindow]
    {
        (0..<count).map { SoakSample.window(first + $0, segment: segment, megabytes: megabytes($0)) }
    }

    @Test func growingMemoryIsFound() throws {
        var generator = SeededGenerator(seed: 5)
        let found = SoakDrift.find(windows(20) { 60 + 2 * Double($0) + 3 * generator.nextUnit() })
        let drift = try #require(found.first)
        #expect(found.count == 1 && drift.quantity == .memory && drift.windows == 6...20)
        #expect(drift.words.hasPrefix("memory grew steadily from 7") && drift.words.hasSuffix("(windows 6 to 20)"))
    }

    @Test func aLittleGrowthIsNotEvenWhenItIsCertain() {
        #expect(SoakDrift.find(windows(200) { 60 + 0.02 * Double($0) }).isEmpty)
    }

    @Test func theFirstWindowOfASegmentDoesNotCount() {
        #expect(SoakDrift.find(windows(20) { $0 == 0 ? 10 : 60 }).isEmpty)
    }

    @Test("Memory that fills up is no leak, and one that is added to it is", arguments: [9, 12, 15, 20, 40, 100])
    func saturationIsNoDrift(count: Int) {
        func found(_ leak: Double) -> Int {
            (0..<100).count { seed in
                var generator = SeededGenerator(seed: UInt64(seed))
                let all = windows(count) { number in
                    let noise = (0..<12).reduce(-6.0) { sum, _ in sum + generator.nextUnit() } * 1.5
                    return 60 + 33 * (1 - exp(-Double(number) / 5)) + leak * Double(number) + noise
                }
                return !SoakDrift.find(all).isEmpty
            }
        }
        let mistaken = found(0)
        #expect(mistaken <= (count < 15 ? 20 : 10), "\(mistaken) of 100")
        if count > 30 { #expect(found(2) >= 95) }
    }

    @Test("A soak of a week takes no longer than one of a night")
    func manyWindowsAreThinned() {
        #expect(SteadyStatistics.thinned((0..<10_000).map(Double.init), to: 400).count == 400)
        #expect(SteadyStatistics.thinned([3, 1, 2, 9, 8], to: 2) == [2, 8.5])
        #expect(SteadyStatistics.thinned([3, 1, 2], to: 3) == [3, 1, 2])
        let found = SoakDrift.find(windows(10_000) { 60 + 0.01 * Double($0) })
        #expect(found.map(\.quantity) == [.memory])
    }

    @Test func fewWindowsSayNothing() {
        #expect(SoakDrift.find(windows(8) { 60 + 20 * Double($0) }).isEmpty)
        #expect(SoakDrift.find(windows(9) { 60 + 20 * Double($0) }).count == 1)
    }

    @Test func segmentsAreNotComparedByTheirMemory() {
        let second = windows(9, segment: 2, from: 10) { _ in 300 }
        #expect(SoakDrift.find(windows(9) { _ in 60 } + second).isEmpty)
    }

    @Test func latencyIsComparedOverAllSegments() {
        let all = (1...24).map { SoakSample.window($0, segment: 1 + $0 / 6, p99: 20 + 2 * Double($0)) }
        #expect(SoakDrift.find(all).map(\.quantity) == [.p99])
    }

    @Test func windowsWithoutANumberAreLeftOut() {
        let all = windows(20) { 60 + 3 * Double($0) }.map { window in
            var window = window
            if window.number % 2 == 0 { window.numbers = WindowNumbers.Result() }
            return window
        }
        #expect(SoakDrift.find(all).map(\.quantity) == [.memory])
    }
}
