import CLinux
import ConnectionPool
import PoolSimulator
import Testing

@Suite("A machine that traps")
struct TrapTests {
    @Test("The seeds that were being lived are told before the process dies")
    func seedsAreTold() async throws {
        let result = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var exploration = Exploration(firstSeed: 1_000_001, seeds: 10, steps: 10)
            let inFlight = SeedsInFlight(threads: 2)
            exploration.inFlight = inFlight
            let text: StaticString = "lives:"
            clinux_tell_on_crash(
                UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self), inFlight.pointer,
                Int32(inFlight.count))
            _ = await exploration.run(on: { configuration, seed, now in
                precondition(seed != 1_000_004, "planted")
                return PoolStateMachine(configuration: configuration, seed: seed, now: now)
            })
        }
        let told = String(decoding: result.standardErrorContent, as: UTF8.self)
        #expect(told.contains("lives: 1000004\n"), "\(told)")
    }
}
