import Reporting
import Testing

private let state = ProgressState(
    phase: "faults", secondsLeft: 11.2, okPerSecond: 498.4, p99Nanoseconds: 8_300_000, open: 10, idle: 2, inUse: 8,
    waiting: 3, activeFaults: ["restart #0"], findings: 1)

@Test func progressTellsEverythingWhereThereIsRoom() {
    #expect(
        ProgressLine.render(state, width: 120, color: false)
            == "faults 12 s left | 498 ok/s | p99 8.3 ms | open 10 idle 2 in use 8 waiting 3 | restart #0 | 1 finding")
    #expect(
        ProgressLine.render(ProgressState(phase: "drain", secondsLeft: -1), width: 120, color: false)
            == "drain | 0 ok/s | open 0 idle 0 in use 0 waiting 0")
}

@Test func poolThatTellsNoGaugesIsNotCalledEmpty() {
    #expect(
        ProgressLine.render(ProgressState(phase: "drain", hasGauges: false), width: 120, color: false)
            == "drain | 0 ok/s")
}

@Test(arguments: [
    (101, "faults 12 s left | 498 ok/s | p99 8.3 ms | open 10 idle 2 in use 8 waiting 3 | restart #0 | 1 finding"),
    (100, "faults 12 s | 498/s | p99 8.3 ms | 8/10 used, 3 wait | restart #0 | 1 finding"),
    (77, "faults 12 s | 498/s | p99 8.3 ms | 8/10 used, 3 wait | restart #0 | 1 finding"),
    (76, "faults 12 s | 498/s | 8/10 used, 3 wait | restart #0 | 1 finding"),
    (60, "faults 12 s | 498/s | restart #0 | 1 finding"),
    (40, "faults 12 s | restart #0 | 1 finding"), (20, "faults 12 s | resta…"),
])
func leastImportantPartsAreLeftOutFirst(_ width: Int, _ line: String) {
    #expect(ProgressLine.render(state, width: width, color: false) == line)
}

@Test func lineFitsAnyWidthAndIsOneLine() {
    var hostile = state
    hostile.phase = "fau\nlts\u{1B}[2J"
    hostile.activeFaults = ["a\r\nb", String(repeating: "日", count: 50)]
    for width in 0...140 {
        for state in [state, hostile] {
            let line = ProgressLine.render(state, width: width, color: false)
            let columns = line.reduce(0) { $0 + ($1 == "日" ? 2 : 1) }
            #expect(columns <= width)
            #expect(!line.contains(where: \.isNewline) && !line.contains("\u{1B}"))
        }
    }
}

@Test func colourOfProgressAddsNothingButColour() {
    for width in 0...140 {
        let colored = ProgressLine.render(state, width: width, color: true)
        #expect(
            colored.replacing(#/\u{1B}\[[0-9;]*m/#, with: "") == ProgressLine.render(state, width: width, color: false))
    }
    #expect(ProgressLine.render(state, width: 120, color: true).contains("\u{1B}[31m1 finding\u{1B}[0m"))
}

@Test func nonsenseNumbersDoNotTrap() {
    var state = state
    state.okPerSecond = .infinity
    state.secondsLeft = .nan
    #expect(!ProgressLine.render(state, width: 200, color: false).isEmpty)
    state.okPerSecond = .nan
    #expect(!ProgressLine.render(state, width: 200, color: false).isEmpty)
}
