import Checkers
import RigModel
import Testing

private let windows: FaultWindows = {
    var windows = FaultWindows()
    let events = HistoryBuilder.history { history in
        history.fault(0, inject: s(3), heal: s(5))
        history.fault(1, "slow-network", "100 ms each way", inject: s(4), heal: s(8))
        history.fault(2, "kill-connections", "", inject: s(20), heal: nil)
    }
    for event in events { windows.observe(event) }
    return windows
}()

@Test(arguments: [
    (2.9, "none"), (3.0, "restart #0 (immediate, down for 2 s)"),
    (4.5, "restart #0 (immediate, down for 2 s) and slow-network #1 (100 ms each way)"),
    (5.0, "restart #0 (immediate, down for 2 s) and slow-network #1 (100 ms each way)"),
    (5.1, "slow-network #1 (100 ms each way)"), (9.2, "none (slow-network #1 healed 1.2 s before)"),
    (1000, "kill-connections #2"),
])
func activeFaultIsToldInWords(_ seconds: Double, _ words: String) {
    #expect(windows.words(at: Int64(seconds * 1e9)) == words)
}

@Test func everythingThatWasActiveDuringACallIsTold() {
    #expect(windows.words(from: 1, to: 3_500_000_000) == "restart #0 (immediate, down for 2 s)")
    #expect(windows.words(from: 1, to: 2) == "none")
}
