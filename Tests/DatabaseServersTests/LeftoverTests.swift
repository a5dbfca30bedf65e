import DatabaseServers
import Foundation
import HostSystem
import RigTestSupport
import Testing
import Threading

/// Nothing of a server may stay: no process, no folder, no shared memory, no open line in the journal.
@Suite struct LeftoverTests {
    private struct Site {
        let folder: TemporaryFolder
        let journal: Journal
        let scratch: RunScratch
        let server: ManagedPostgres

        init() async throws {
            folder = try TemporaryFolder()
            journal = try Journal.create(at: folder.file("journal.jsonl"))
            scratch = try RunScratch(runID: "left-\(RunScratch.newRunID())", journal: journal)
            server = try await ManagedPostgres.create(in: scratch, journal: journal)
        }

        /// What the kernel holds for the server while it runs.
        func segment() throws -> Int32 {
            try #require(PostmasterFile.read(in: server.dataDirectory)?.sharedMemoryID)
        }

        func expectNothing(segment: Int32, _ location: SourceLocation = #_sourceLocation) {
            #expect(PostgresProcesses.running(on: server.dataDirectory) == [], sourceLocation: location)
            #expect(!SmallFile.exists(server.dataDirectory), sourceLocation: location)
            #expect(!segments().contains(segment), sourceLocation: location)
        }

        func segments() -> Set<Int32> {
            let lines = SmallFile.text("/proc/sysvipc/shm")?.split(separator: "\n") ?? []
            return Set(
                lines.compactMap { line in
                    let fields = line.split(separator: " ")
                    return fields.count > 1 ? Int32(fields[1]) : nil
                })
        }
    }

    @Test func destroyedServerLeavesNothing() async throws {
        let site = try await Site()
        let segment = try site.segment()
        #expect(site.segments().contains(segment))
        try await site.server.destroy()
        site.expectNothing(segment: segment)
        #expect(site.journal.openEntries.map(\.undo) == [.removeFolder(path: site.scratch.path)])
        try await site.server.destroy()
        #expect(await site.journal.undoAll() == [])
        #expect(!SmallFile.exists(site.scratch.path))
    }

    @Test func crashedServerLeavesNothing() async throws {
        let site = try await Site()
        let segment = try site.segment()
        try site.server.beginShutdown(.crash)
        #expect(await site.server.waitUntilStopped(within: .seconds(60)))
        #expect(site.segments().contains(segment))  // else this test proves nothing
        try await site.server.destroy()
        site.expectNothing(segment: segment)
        #expect(await site.journal.undoAll() == [])
    }

    @Test func frozenServerIsRemoved() async throws {
        let site = try await Site()
        let segment = try site.segment()
        for process in PostgresProcesses.running(on: site.server.dataDirectory) { process.signal(SIGSTOP) }
        try await site.server.destroy()
        site.expectNothing(segment: segment)
        #expect(await site.journal.undoAll() == [])
    }

    /// As the watchdog does it: from the file alone.
    @Test func journalAloneRemovesTheServer() async throws {
        let site = try await Site()
        let segment = try site.segment()
        site.journal.close()
        let read = try Journal.open(existing: site.journal.path)
        #expect(read.openEntries.count == 3)
        #expect(await read.undoAll() == [])
        site.expectNothing(segment: segment)
        #expect(!SmallFile.exists(site.scratch.path))
        #expect(await (try Journal.open(existing: site.journal.path)).undoAll() == [])
    }

    @Test func failedStartLeavesNothing() async throws {
        let folder = try TemporaryFolder()
        let journal = try Journal.create(at: folder.file("journal.jsonl"))
        let scratch = try RunScratch(runID: "fail-\(RunScratch.newRunID())", journal: journal)
        var options = ManagedPostgres.Options()
        options.settings = [("no_such_setting", "1")]
        await #expect(throws: ServerError.self) {
            try await ManagedPostgres.create(in: scratch, journal: journal, options: options)
        }
        #expect(SmallFile.names(in: scratch.path) == ["owner.json"])
        #expect(journal.openEntries.count == 1)
        #expect(await journal.undoAll() == [])
    }

    /// The real thing: another process starts a server and is killed with SIGKILL; this one finds and heals it.
    @Test func serverOfAKilledRunIsHealed() async throws {
        let result = try #require(
            await #expect(processExitsWith: .signal(SIGKILL), observing: [\.standardOutputContent]) {
                let folder = try TemporaryFolder()
                let journal = try Journal.create(at: folder.file("journal.jsonl"))
                let scratch = try RunScratch(runID: "dead-\(RunScratch.newRunID())", journal: journal)
                let server = try await ManagedPostgres.create(in: scratch, journal: journal)
                let words =
                    "\n@ \(folder.path) \(scratch.path) \(server.dataDirectory) \(server.postmasterPID() ?? 0)\n"
                _ = write(STDOUT_FILENO, words, words.utf8.count)
                kill(getpid(), SIGKILL)
            })
        let text = String(decoding: result.standardOutputContent, as: UTF8.self)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("@ ") })
        let words = line.split(separator: " ").dropFirst().map(String.init)
        let (folder, scratch, data) = (words[0], words[1], words[2])
        let postmaster = try #require(Int32(words[3]))
        #expect(postmaster > 0)

        let isHealed: @Sendable () -> Bool = {
            !SmallFile.exists(scratch) && !SmallFile.exists(folder) && PostgresProcesses.running(on: data) == []
        }
        // Another test process that starts just now may heal it at the same time; then one of the two finds less than there
        // was, or leaves what the other one is about to remove. Only the end counts.
        let deadline = MonotonicInstant.now.advanced(by: .seconds(120))
        var isDone = false
        repeat {
            for run in DeadRun.find() where run.folder == scratch || run.folder == folder { _ = await run.heal() }
            isDone = await onOwnThread("wait for healing") {
                Waiting.untilTrue(before: .now.advanced(by: .seconds(1)), isHealed)
            }
        } while !isDone && .now < deadline
        #expect(isDone)
        #expect(ProcessTable.status(of: postmaster)?.isDead ?? true)
        #expect(!DeadRun.find().contains { $0.folder == scratch || $0.folder == folder })
    }
}
