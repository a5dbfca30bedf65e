import Reporting
import Testing

@testable import Orchestrator

struct SoakEffortTests {
    private let error = RunError.missing("no server\nleft behind: a table")

    @Test func threeSegmentsWithoutAWindowAreEnough() throws {
        var effort = SoakEffort()
        effort.segmentEnded(windows: 60, error: error)
        effort.segmentEnded(windows: 0, error: error)
        effort.segmentEnded(windows: 0, error: error)
        #expect(effort.gaveUp == nil)
        effort.segmentEnded(windows: 0, error: error)
        let gaveUp = try #require(effort.gaveUp)
        #expect(gaveUp.exitCode == 3)
        #expect(gaveUp.reason == "3 segments in a row came to nothing; the last one: no server")
    }

    @Test func aWindowIsAReasonToGoOn() {
        var effort = SoakEffort()
        for _ in 1...10 {
            effort.segmentEnded(windows: 0, error: error)
            effort.segmentEnded(windows: 1, error: error)
        }
        #expect(effort.gaveUp == nil)
    }
}
