import Testing

@testable import Reporting

struct SoakNightsTests {
    private func nights(_ count: Int, slowest: Double = 1) -> SoakNights {
        var builder = RunBuilder(seed: 2)
        return SoakNights(
            Trend(scenario: "night (soak)", runs: builder.runs(count - 1) + [builder.run(slower: slowest)]))
    }

    private func pages(_ nights: SoakNights) -> [String] {
        let log = SoakSample.log((1...12).map { SoakSample.window($0) })
        return [
            SoakMarkdown.render(log, nights: nights), SoakPage.render(log, nights: nights),
            SoakSummary.render(log, nights: nights, reportPath: "x", width: 100, color: false),
        ]
    }

    @Test("Every form of the report tells what is worse than in the last nights")
    func driftIsTold() {
        let nights = nights(14, slowest: 4)
        for page in pages(nights) {
            #expect(page.contains("Against the last nights") && page.contains("restart: first success: "))
        }
    }

    @Test func quietNightsAreTold() {
        for page in pages(nights(14)) { #expect(page.contains("no drift over 14 nights")) }
    }

    @Test("Too few nights: the report says how many there are")
    func fewNights() {
        for page in pages(nights(3)) { #expect(page.contains("too few nights to judge: 3 can be compared")) }
    }

    @Test("A soak that was interrupted says that it is not compared")
    func interruptedSoak() {
        var builder = RunBuilder(seed: 2)
        var runs = builder.runs(12)
        runs[11].exitCode = 143
        for page in pages(SoakNights(Trend(scenario: "night (soak)", runs: runs))) {
            #expect(page.contains("this soak is not compared: interrupted"))
        }
    }
}
