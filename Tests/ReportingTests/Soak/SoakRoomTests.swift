import RigModel
import Testing

@testable import Reporting

struct SoakRoomTests {
    private let windows = [
        SoakSample.window(1, verdict: .invalid) { ($0.keptBytes, $0.pageBytes, $0.reportBytes) = (100, 300, 10) },
        SoakSample.window(2, verdict: .unknown) { ($0.keptBytes, $0.reportBytes) = (100, 10) },
        SoakSample.window(3) { ($0.keptBytes, $0.reportBytes) = (20, 10) },
        SoakSample.window(4) { ($0.keptBytes, $0.reportBytes) = (20, 10) },
    ]

    private func removals(_ limit: Int) -> [String] {
        SoakRoom.removals(windows, limit: limit).map { "\($0.window) \($0.part)" }
    }

    @Test func withinTheLimitNothingGoes() { #expect(removals(580).isEmpty) }

    @Test func pagesAndReportsCountToo() { #expect(removals(579) == ["3 history"]) }

    @Test func whatHasLeastToTellGoesFirst() {
        #expect(removals(520) == ["3 history", "4 history", "3 report", "4 report"])
        #expect(removals(420) == ["3 history", "4 history", "3 report", "4 report", "2 history"])
        #expect(removals(0).suffix(3) == ["2 history", "2 report", "1 history"])
    }

    @Test func whatIsGoneDoesNotGoAgain() {
        var left = windows
        left[2].keptBytes = 0
        #expect(SoakRoom.removals(left, limit: 559).map(\.window) == [4])
    }
}
