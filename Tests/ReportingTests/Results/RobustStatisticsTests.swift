import RigModel
import Testing

@testable import Reporting

struct RobustStatisticsTests {
    /// Published quantiles of Student's t, one tail.
    @Test(arguments: [
        (0.05, 5.0, 2.015), (0.025, 10.0, 2.228), (0.005, 30.0, 2.750), (0.0005, 8.0, 5.041), (0.001, 1.0, 318.309),
        (0.00001, 20.0, 5.543),
    ])
    func criticalValuesAreStudents(tail: Double, freedom: Double, expected: Double) {
        let value = RobustStatistics.criticalValue(tail: tail, degreesOfFreedom: freedom)
        #expect(abs(value / expected - 1) < 0.002, "\(value)")
    }

    @Test func medianOfEvenlyManyIsBetween() {
        #expect(RobustStatistics.median([4, 1, 3, 2]) == 2.5)
        #expect(RobustStatistics.median([3, 1, 2]) == 2)
        #expect(RobustStatistics.median([]) == nil)
    }
}
