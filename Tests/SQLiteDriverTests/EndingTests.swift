import Testing
import Threading

@testable import SQLiteDriver

@Test func waitForAnEndingIsBoundedByItsDeadline() async {
    let ending = Ending()
    #expect(await ending.wait(until: .now) == false)
    #expect(await ending.wait(until: .now.advanced(by: .milliseconds(1))) == false)
    ending.markEnded()
    #expect(await ending.wait(until: .now))
}

@Test func everyWaiterLearnsOfTheEnding() async {
    let ending = Ending()
    let waiters = (0..<8).map { _ in Task { await ending.wait(until: .soon) } }
    ending.markEnded()
    for waiter in waiters { #expect(await waiter.value) }
}
