import Testing

@testable import ChaosRig

@Suite struct ProgramSearchTests {
    private let beside = ProgramSearch(named: nil, folders: ["/built"], onPath: "/usr/bin/chaosrig")

    @Test func theProgramBesideTheTestsComesBeforeThePath() throws {
        #expect(try beside.find { _ in true } == "/built/chaosrig")
        #expect(try beside.find { $0.hasPrefix("/usr") } == "/usr/bin/chaosrig")
    }

    @Test func theEnvironmentComesFirst() throws {
        var search = beside
        search.named = "/mine/chaosrig"
        #expect(try search.find { _ in true } == "/mine/chaosrig")
    }

    @Test func aWrongPathInTheEnvironmentIsNotPassedOver() {
        var search = beside
        search.named = "mine/chaosrig"
        let error = #expect(throws: RigError.self) { try search.find { _ in true } }
        #expect(error?.description.hasPrefix("CHAOSRIG_PROGRAM=mine/chaosrig: the absolute path") == true)
    }

    @Test func withoutTheProgramTheErrorSaysWhatToDo() {
        let error = #expect(throws: RigError.self) { try beside.find { _ in false } }
        #expect(error?.description.contains("/built/chaosrig") == true)
        #expect(error?.description.contains("swift build --product chaosrig") == true)
    }

    @Test func theProgramThatWasBuiltWithTheseTestsIsFound() throws {
        #expect(try ProgramSearch.here.find().hasSuffix("/chaosrig"))
    }
}
