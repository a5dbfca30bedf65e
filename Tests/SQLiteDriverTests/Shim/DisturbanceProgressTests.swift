import Testing

@testable import SQLiteDriver

private func hits(_ disturbance: SQLiteDisturbance, of calls: Int, _ call: SQLiteCall = .write) -> [Int] {
    var progress = DisturbanceProgress(disturbance)
    return (1...calls).filter { _ in progress.meets(call, readsPage: false) }
}

@Test func disturbanceMeetsEveryCallOfItsKindAndNoOther() {
    let disturbance = SQLiteDisturbance(.fail(.ioError), on: [.write])
    #expect(hits(disturbance, of: 3) == [1, 2, 3])
    #expect(hits(disturbance, of: 3, .read) == [])
}

@Test func disturbanceBeginsWithTheNthCallAndEndsAfterSoManyTimes() {
    var disturbance = SQLiteDisturbance(.fail(.ioError), on: [.write])
    disturbance.first = 4
    #expect(hits(disturbance, of: 6) == [4, 5, 6])
    disturbance.times = 1
    #expect(hits(disturbance, of: 6) == [4])
    disturbance.times = 0
    #expect(hits(disturbance, of: 6) == [])
}

@Test func shareOfADisturbanceIsDrawnFromItsSeed() {
    var disturbance = SQLiteDisturbance(.fail(.ioError), on: [.write])
    disturbance.share = 0.25
    disturbance.seed = 7
    let first = hits(disturbance, of: 1000)
    #expect((200...300).contains(first.count))
    #expect(hits(disturbance, of: 1000) == first)
    disturbance.seed = 8
    #expect(hits(disturbance, of: 1000) != first)
}

@Test func onlyReadsOfWholePagesAreSpoiled() {
    var progress = DisturbanceProgress(SQLiteDisturbance(.spoil, on: [.read]))
    let met = [false, true].map { progress.meets(.read, readsPage: $0) }
    #expect(met == [false, true])
    #expect(progress.matches == 1)
}
