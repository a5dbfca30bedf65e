import RigModel
import Testing

private func event(_ index: Int, _ kind: Event.Kind, _ process: Int, _ completion: Completion? = nil) -> Event {
    Event(
        index: index, time: Int64(index) * 10, kind: kind, process: .worker(process), function: "read",
        completion: completion)
}

@Test func completionMeetsTheInvokeOfItsOwnProcess() throws {
    var pairing = OperationPairing()
    #expect(pairing.observe(event(0, .invoke, 1)) == nil)
    #expect(pairing.observe(event(1, .invoke, 2)) == nil)
    let completed = pairing.observe(event(5, .fail, 1, Completion(lagNanoseconds: 7)))
    let ended = try #require(completed)
    #expect(ended.begun.index == 0)
    #expect(ended.latencyNanoseconds == 57)
    #expect(pairing.neverEnded.map(\.index) == [1])
    #expect(pairing.observe(event(6, .ok, 9)) == nil)
}

@Test func operationThatWasAbandonedIsNotForgotten() {
    var pairing = OperationPairing()
    _ = pairing.observe(event(0, .invoke, 1))
    _ = pairing.observe(event(1, .invoke, 1))
    _ = pairing.observe(event(2, .ok, 1))
    #expect(pairing.neverEnded.map(\.index) == [0])
}
