import Foundation
import HostSystem
import RigTestSupport
import Testing

/// Without a container engine a run that needs one is refused before anything starts.
@Suite(.timeLimit(.minutes(5)))
struct ContainerSuite {
    /// Programs that answer as those of an engine do, in front of the real ones.
    private static func environment(
        engine: String, published: String, in folder: TemporaryFolder
    ) throws -> [String: String] {
        let labels = [
            "project": "proj", "service": "db", "project.config_files": "docker-compose.yml",
            "project.working_dir": folder.path,
        ].map { "\"com.docker.compose.\($0.key)\":\"\($0.value)\"" }.joined(separator: ",")
        let port = "\"5432/tcp\":[{\"HostIp\":\"\(published)\",\"HostPort\":\"15432\"}]"
        let inspection = """
            [{"Id":"031e97ec6dca4720","State":{"Running":true},"HostConfig":{"PortBindings":{\(port)}},\
            "Config":{"Env":[],"Labels":{\(labels)}},"NetworkSettings":{"Ports":{\(port)}}}]
            """
        let programs = [
            "docker": "case $1 in context) echo '\(engine)';; inspect) echo '\(inspection)';; esac",
            "docker-compose": "echo 031e97ec6dca4720",
        ]
        for (name, text) in programs {
            try "#!/bin/sh\n\(text)\n".write(toFile: folder.file(name), atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder.file(name))
        }
        var environment = ProcessInfo.processInfo.environment
        environment["PATH"] = "\(folder.path):\(environment["PATH"] ?? "/usr/bin:/bin")"
        environment["DOCKER_HOST"] = nil
        return environment
    }

    @Test(
        "A container of another machine is refused unless it is named, before anything is started",
        arguments: [
            ("ssh://me@prod.invalid", "0.0.0.0", "the container engine prod.invalid is not on this machine"),
            ("tcp://10.255.255.1:2376", "0.0.0.0", "--allow-remote 10.255.255.1"),
            ("unix:///var/run/docker.sock", "10.255.255.1", "the target 10.255.255.1 is not on this machine"),
        ])
    func isRefusedOnAnotherMachine(_ engine: String, _ published: String, _ words: String) async throws {
        let folder = try TemporaryFolder()
        let environment = try Self.environment(engine: engine, published: published, in: folder)
        try "services: {}\n".write(toFile: folder.file("docker-compose.yml"), atomically: true, encoding: .utf8)
        let text = """
            target: {compose: db, file: "\(folder.file("docker-compose.yml"))"}
            workload: {clients: 1, mix: {read: 1}}
            """
        try text.write(toFile: folder.file("far.yaml"), atomically: true, encoding: .utf8)
        let result = try await runProgram(
            path: Rig.path, arguments: ["run", folder.file("far.yaml"), "--out", folder.file("out")],
            environment: environment, workingDirectory: Rig.root, timeout: .seconds(120))
        #expect(result.exitCode == 2, "\(result.standardOutput)\(result.standardError)")
        #expect(result.standardError.contains(words), "\(result.standardError)")
    }

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
