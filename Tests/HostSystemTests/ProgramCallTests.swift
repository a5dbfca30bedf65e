import Foundation
import HostSystem
import RigTestSupport
import Testing
import Threading

@Suite struct ProgramCallTests {
    private func shell(_ script: String, timeout: Duration = .seconds(60), input: [UInt8] = [], limit: Int = 1 << 20)
        async throws -> ProgramResult
    {
        try await runProgram(
            path: "/bin/sh", arguments: ["-c", script], timeout: timeout, standardInput: input, outputLimitBytes: limit)
    }

    @Test func outputErrorsAndExitCodeAreKept() async throws {
        let result = try await shell("echo out; echo err >&2; exit 3")
        #expect(result.standardOutput == "out\n")
        #expect(result.standardError == "err\n")
        #expect(result.exitCode == 3)
        #expect(result.signal == nil)
        #expect(!result.succeeded)
    }

    @Test func programEndedByASignalSaysWhich() async throws {
        let result = try await shell("kill -TERM $$")
        #expect(result.status == .signalled(SIGTERM))
        #expect(result.signal == SIGTERM)
        #expect(result.exitCode == nil)
    }

    /// More than a pipe holds, to a program that answers while it reads: a pipe would deadlock or break.
    @Test func largeInputComesThrough() async throws {
        let input = [UInt8](repeating: UInt8(ascii: "x"), count: 300_000)
        #expect(try await shell("cat", input: input).standardOutput.utf8.elementsEqual(input))
        #expect(try await shell("exit 0", input: input).succeeded)
        #expect(try await shell("wc -c").standardOutput == "0\n")
    }

    @Test func environmentAndWorkingDirectoryAreThoseGiven() async throws {
        let result = try await runProgram(
            path: "/bin/sh", arguments: ["-c", "echo $ONLY; pwd; echo ${HOME-unset}"], environment: ["ONLY": "this"],
            workingDirectory: "/proc")
        #expect(result.standardOutput == "this\n/proc\nunset\n")
    }

    @Test(.enabled(if: geteuid() == 0, "only root can change the user"))
    func programRunsAsTheUserGiven() async throws {
        let user = try #require(ProcessUser.named("nobody"))
        let result = try await runProgram(path: "/bin/sh", arguments: ["-c", "id -u; id -G"], user: user)
        #expect(result.standardOutput == "\(user.uid)\n\(user.gid)\n")
    }

    @Test func programAtItsLimitIsKilledWithWhatItStarted() async throws {
        let folder = try TemporaryFolder()
        let pidFile = folder.file("pid")
        var limit = Duration.milliseconds(500)
        var error: ProgramError?
        // On a busy machine the shell may not come as far as that in time: then once more, with a longer limit.
        repeat {
            limit *= 4
            let timeout = limit
            error = await #expect(throws: ProgramError.self) {
                try await shell("echo waiting; sleep 600 & echo $! > \(pidFile); wait", timeout: timeout)
            }
        } while (SmallFile.text(pidFile) ?? "").isEmpty && limit < .seconds(100)
        #expect(error == .timedOut(program: "/bin/sh", limit: limit, lastOutput: "waiting\n"))
        let text = try String(contentsOfFile: pidFile, encoding: .utf8)
        let grandchild = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        let isKilled = await onOwnThread("wait \(grandchild)") {
            Waiting.untilTrue(before: .now.advanced(by: .seconds(60))) {
                ProcessTable.status(of: grandchild)?.isDead ?? true
            }
        }
        #expect(isKilled)
    }

    @Test func programThatSaysTooMuchIsKilled() async throws {
        let error = await #expect(throws: ProgramError.self) { try await shell("exec yes", limit: 5000) }
        #expect(error == .tooMuchOutput(program: "/bin/sh", limitBytes: 5000))
    }

    /// The program ends, what it left running holds its streams open.
    @Test func programIsOverThoughItsStreamsAreStillOpen() async throws {
        let folder = try TemporaryFolder()  // its removal kills the follower, whose command line names it
        let result = try await shell("tail -F \(folder.file("nothing")) & echo started")
        #expect(result.standardOutput == "started\n")
    }

    @Test func missingProgramIsNamed() async throws {
        let error = await #expect(throws: ProgramError.self) { try await runProgram(path: "/nowhere/program") }
        #expect(error == .notStarted(SystemError("start /nowhere/program", code: ENOENT)))
        #expect("\(try #require(error))" == "start /nowhere/program: No such file or directory (errno 2)")
    }

    @Test func cancelledTaskKillsItsProgram() async throws {
        let folder = try TemporaryFolder()
        let task = Task {
            try await shell(
                "echo $$ > \(folder.file("new")); mv \(folder.file("new")) \(folder.file("pid")); sleep 600")
        }
        let pidFile = folder.file("pid")
        let isStarted = await onOwnThread("wait for pid") {
            Waiting.untilTrue(before: .now.advanced(by: .seconds(60))) { SmallFile.exists(pidFile) }
        }
        #expect(isStarted)
        task.cancel()
        await #expect(throws: ProgramError.cancelled(program: "/bin/sh")) { try await task.value }
    }

    @Test func programIsFoundOnPathAndInAdministrationFolders() throws {
        #expect(findProgram("sh")?.hasSuffix("/sh") == true)
        #expect(findProgram("no-such-program-here") == nil)
        let folder = try TemporaryFolder()
        try SmallFile.write([], to: folder.file("tool"), mode: 0o644)
        #expect(findProgram("tool", in: [folder.path]) == nil)
        try SmallFile.write(Array("#!/bin/sh\n".utf8), to: folder.file("tool2"), mode: 0o755)
        #expect(findProgram("tool2", in: ["relative", "/nowhere", folder.path]) == folder.file("tool2"))
        try SmallFile.makeFolder(folder.file("tool3"), mode: 0o755)
        #expect(findProgram("tool3", in: [folder.path]) == nil)
    }
}
