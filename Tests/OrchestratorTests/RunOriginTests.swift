import RigModel
import Testing

@testable import Orchestrator

/// Which commit a run belongs to.
struct RunOriginTests {
    private static let head = "1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b"
    private static let other = "ffffffffffffffffffffffffffffffffffffffff"

    private func source(_ environment: [String: String], head: String?, changes: String?) async -> [JSONValue] {
        await RunOriginFacts.source(environment, head: { head }, changes: { changes }).map(\.value)
    }

    @Test(
        "What the build service says counts more than what is checked out; changes only belong to what is checked out")
    func commitIsFound() async {
        let head = Self.head
        let other = Self.other
        #expect(await source([:], head: head, changes: "") == [.string(head), false])
        #expect(await source([:], head: head, changes: " M a.swift") == [.string(head), true])
        #expect(await source(["GITHUB_SHA": head], head: head, changes: " M a") == [.string(head), true])
        #expect(await source(["CI_COMMIT_SHA": other], head: head, changes: "") == [.string(other), .null])
        #expect(await source(["GIT_COMMIT": other], head: nil, changes: nil) == [.string(other), .null])
        #expect(await source([:], head: nil, changes: nil) == [.null, .null])
    }

    @Test("What is no commit is passed over")
    func nonsenseIsPassedOver() async {
        let environment = ["GITHUB_SHA": "", "GIT_COMMIT": "refs/heads/main", "CIRCLE_SHA1": Self.other]
        #expect(await source(environment, head: nil, changes: nil) == [.string(Self.other), .null])
        #expect(await source([:], head: "HEAD", changes: "") == [.null, .null])
    }

    @Test func processorIsNamed() {
        let text =
            "processor\t: 0\nvendor_id\t: X\nmodel name\t: Some   CPU @ 3 GHz\n\nprocessor\t: 1\nmodel name\t: Other\n"
        #expect(RunOriginFacts.cpu(text) == "Some CPU @ 3 GHz")
        #expect(RunOriginFacts.cpu("processor : 0\nFeatures : fp\n") == nil)
    }
}
