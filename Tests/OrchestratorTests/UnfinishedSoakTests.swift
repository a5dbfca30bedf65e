import Foundation
import HostSystem
import Reporting
import RigModel
import Testing

@testable import Orchestrator

struct UnfinishedSoakTests {
    private let fixture: SoakFixture

    init() throws { fixture = try SoakFixture() }

    /// Two hours after the begin of a soak as the fixture makes it.
    private func find(for duration: Duration? = nil, hours: Double = 2) throws -> UnfinishedSoak {
        let now = try Date("2026-11-21T22:00:00Z", strategy: .iso8601).addingTimeInterval(hours * 3600)
        return UnfinishedSoak.find(fixture.scenario, in: fixture.out, for: duration, now: now)
    }

    @Test func theYoungestThatWasCutGoesOn() throws {
        #expect(try find() == UnfinishedSoak())
        _ = try fixture.stored("20261121T200000Z-7")
        let last = try fixture.stored("20261121T220000Z-7")
        _ = try fixture.stored("20261121T230000Z-7") { $0.isFinished = true }
        _ = try fixture.stored("20261121T235900Z-7", yaml: "name: other")
        #expect(try find() == UnfinishedSoak(folder: last))
    }

    @Test func oneThatGaveUpGoesOn() throws {
        let path = try fixture.stored("20261121T220000Z-7") { $0.gaveUp = .init(reason: "no server", exitCode: 3) }
        #expect(try find().folder == path)
    }

    @Test func oneThatStillRunsIsLeftAlone() throws {
        let path = try fixture.stored("20261121T220000Z-7")
        let lock = try StoredSoak.lock(path)
        try withExtendedLifetime(lock) {
            let found = try find()
            #expect(found.folder == nil)
            #expect(found.words == ["\(path) is left alone: another process runs it now"])
        }
    }

    @Test func oneThatWasCutLongAgoIsLeftAlone() throws {
        let path = try fixture.stored("20261121T220000Z-7") { log in
            log.windows = [
                SoakWindow(
                    number: 1, segment: 1, seed: 1, startedAt: "2026-11-22T02:00:00Z", seconds: 60, verdict: .valid)
            ]
        }
        _ = try fixture.stored("20261120T220000Z-7")
        // The end of the last window counts, not the begin.
        #expect(try find(hours: 28).folder == path)
        let found = try find(hours: 28.1)
        #expect(found.folder == nil && found.words.count == 1)
        #expect(found.words.first?.hasPrefix("\(path), and 1 older was cut more than 24 h ago") == true)
    }

    @Test func oneThatHasRunLongerThanItIsToIsLeftAlone() throws {
        let path = try fixture.stored("20261121T220000Z-7") { $0.elapsedSeconds = 2 * 3600 }
        #expect(try find(for: .seconds(3600)).folder == nil)
        #expect(try find(for: .seconds(3 * 3600)).folder == path)
        #expect(try find().folder == path)
    }
}
