import Testing

@testable import Benchmarks

@Suite struct NumberTests {
    @Test(
        "Numbers are short and keep three digits that matter",
        arguments: [
            (0.0, "0.00"), (0.456, "0.46"), (9.99, "9.99"), (12.34, "12.3"), (123.4, "123"), (9994, "9994"),
            (12_345, "12.3k"), (123_456, "123k"), (1_234_567, "1.23M"), (999_600, "1.00M"),
        ])
    func short(_ number: Double, _ text: String) { #expect(number.short == text) }

    @Test("A median is the middle, or the mean of the two in the middle")
    func median() {
        #expect([3.0, 1, 2].median() == 2)
        #expect([4.0, 1, 2, 3].median() == 2.5)
        #expect([Double]().median() == nil)
    }

    @Test("The most popular number comes twice as often as the second")
    func zipf() {
        let zipf = Zipf(count: 100)
        var counts = [Int](repeating: 0, count: 101)
        for step in 0..<100_000 { counts[zipf.number((Double(step) + 0.5) / 100_000)] += 1 }
        #expect(counts[0] == 0 && counts[1...].allSatisfy { $0 > 0 })
        #expect(abs(Double(counts[1]) / Double(counts[2]) - 2) < 0.01)
        #expect(zipf.number(0) == 1 && zipf.number(0.999_999_999) == 100)
    }

    @Test("Samples beyond their room are still counted")
    func samples() {
        let samples = Samples(capacity: 2)
        for nanoseconds in [3000, 1000, 2000] as [UInt64] { samples.add(nanoseconds: nanoseconds, operations: 10) }
        samples.failed = 1
        let measured = Measured([samples], seconds: 2, firstError: "why")
        #expect(measured.operations == 30 && measured.errors == 1 && measured.perSecond == 15)
        #expect(measured.quantile(0) == 1 && measured.quantile(1) == 3)
    }
}
