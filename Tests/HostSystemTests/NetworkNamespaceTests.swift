import Glibc
import HostSystem
import RigTestSupport
import Testing
import Threading

/// Networks of the run's own. They need root, or a user namespace, which a process with threads cannot enter: an ordinary user's
/// are tried by the suite that runs the rig.
@Suite struct NetworkNamespaceTests {
    @Test func aProgramRunsInItAndSeesOnlyItsLoopback() async throws {
        let network: NetworkNamespace
        do { network = try await NetworkNamespace.make() } catch {
            #expect(error.code == EPERM && geteuid() != 0)
            return
        }
        let own = try await runProgram(path: "/bin/readlink", arguments: ["/proc/self/ns/net"])
        let there = try await runProgram(path: "/bin/readlink", arguments: ["/proc/self/ns/net"], network: network)
        #expect(there.standardOutput.split(separator: "\n").first.map(String.init) == network.kernelName)
        #expect(there.standardOutput != own.standardOutput)
        let devices = try await runProgram(path: "/bin/cat", arguments: ["/proc/self/net/dev"], network: network)
        #expect(devices.standardOutput.split(separator: "\n").count == 3, "two lines of headings and lo")
        // This thread stayed where it was.
        #expect(SmallFile.linkTarget("/proc/thread-self/ns/net").map { $0 + "\n" } == own.standardOutput)
    }

    @Test func whatIsLeftInItIsEndedAndNobodyElse() async throws {
        let network: NetworkNamespace
        do { network = try await NetworkNamespace.make() } catch {
            #expect(error.code == EPERM && geteuid() != 0)
            return
        }
        let name = try #require(network.kernelName)
        let folder = try TemporaryFolder()
        func sleeper(_ folder: String, _ network: NetworkNamespace?) throws -> ChildProcess {
            try ChildProcess(
                SpawnRequest(path: "/bin/sleep", arguments: ["600"], workingDirectory: folder, network: network))
        }
        let ours = try sleeper(folder.path, network)
        let stranger = try sleeper("/", network)
        let elsewhere = try sleeper(folder.path, nil)
        defer {
            for child in [ours, stranger, elsewhere] {
                child.signalGroup(SIGKILL)
                _ = child.waitBlocking(until: .now.advanced(by: .seconds(60)))
            }
        }
        try Undoer().perform(.endPrivateNetwork(network: name, folder: folder.path))
        #expect(!ours.isRunning)
        #expect(stranger.isRunning && elsewhere.isRunning)
        // Again does no harm.
        try Undoer().perform(.endPrivateNetwork(network: name, folder: folder.path))
    }

    @Test func removingAChainThatIsNotThereIsASuccess() throws {
        let undo = Undo.removePacketRules(chain: "chaosrig-none-1", isTableNew: false, network: nil)
        if geteuid() == 0 {
            try Undoer().perform(undo)
        } else {
            // Nobody else may look.
            #expect(throws: UndoFailure.self) { try Undoer().perform(undo) }
        }
    }
}
