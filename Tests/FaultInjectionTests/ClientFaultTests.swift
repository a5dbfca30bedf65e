import RigModel
import Testing
import Threading

@testable import FaultInjection

@Suite struct ClientFaultTests {
    @Test(
        "The limit of descriptors leaves so many free below it",
        arguments: [
            ([0, 1, 2], 0, 3), ([0, 1, 2], 2, 5), ([0, 2, 5], 0, 1), ([0, 2, 5], 1, 3), ([0, 2, 5], 3, 6), ([], 0, 0),
        ])
    func limitLeavesFree(_ open: [Int], _ left: Int, _ limit: Int) {
        let chosen = ClientDescriptors.limit(open: Set(open), left: left)
        #expect(chosen == limit)
        #expect((0..<chosen).count { !open.contains($0) } == left)
    }

    @Test(
        "What is left of the processor is what was not taken, and never less than the kernel takes",
        arguments: [(0.95, Int64(5)), (0.5, 50), (0.999, 1), (1, 1)])
    func leftOfProcessor(_ share: Double, _ milliseconds: Int64) {
        #expect(ClientCPU.left(of: share).milliseconds.rounded() == Double(milliseconds))
    }

    @Test("Faults of the client are refused where the pool is in the rig", arguments: ["client-pause", "client-kill"])
    func neededPart(_ kind: String) throws {
        let fault = try #require(FaultCatalogue.make(kind, Parameters()))
        #expect(
            FaultRequirements.missing([fault], available: [.sessions, .link]).first?.contains("process: child") == true)
    }
}
