import Testing

@testable import Orchestrator

@Test(
    "The line of a phase has the length that the scenario gives it",
    arguments: [
        (Duration.milliseconds(100), "phase warm-up for 100 ms"), (.milliseconds(1_500), "phase warm-up for 1.5 s"),
        (.seconds(3), "phase warm-up for 3 s"), (.seconds(150), "phase warm-up for 2 min 30 s"),
        (.zero, "phase warm-up for 0 s"), (nil, "phase warm-up"),
    ])
func lineOfAPhaseHasItsLength(_ length: Duration?, _ line: String) {
    #expect(ProgressWatcher.line(.warmUp, length: length) == line)
}
