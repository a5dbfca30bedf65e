import Foundation
import HostSystem
import RigTestSupport
import Testing

/// Without a container engine a run that needs one is refused before anything starts.
@Suite(.timeLimit(.minutes(5)))
struct ContainerSuite {
    @Test("The run is refused with the reason and what helps", arguments: FaultCase.ofContainers)
    func isRefusedWithoutAnEngine(_ kind: String) async throws {
        let folder = try TemporaryFolder()
        let file = folder.file("\(kind).yaml")
        let text = """
            # A fault of a container.
            target: {compose: db}
            workload: {clients: 1, mix: {read: 1}}
            faults:
              - \(kind): {}
                at: 0s

            """
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        var environment = ProcessInfo.processInfo.environment
        environment["DOCKER_HOST"] = "unix://\(folder.file("no-engine.sock"))"
        for command in [["run", file, "--out", folder.file("out")], ["validate", file]] {
            let result = try await runProgram(
                path: Rig.path, arguments: command, environment: environment, workingDirectory: Rig.root,
                timeout: .seconds(120))
            #expect(result.exitCode == 3, "\(result.standardOutput)\(result.standardError)")
            #expect(result.standardError.contains("\(kind) needs containers: "))
            #expect(result.standardError.contains("To get it: "))
        }
        #expect(!FileManager.default.fileExists(atPath: folder.file("out")))
    }
}
