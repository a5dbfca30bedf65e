import Glibc
import HostSystem
import RigTestSupport
import Testing
import Threading

@Suite struct WatchdogTests {
    let folder: TemporaryFolder
    let journal: Journal

    init() throws {
        folder = try TemporaryFolder()
        journal = try Journal.create(at: folder.file("journal.jsonl"))
    }

    /// A program in the watchdog's place, which writes down how it was started and what it was sent.
    private func standIn() async throws -> String {
        try await folder.script(
            "stand-in",
            """
            trap 'echo signal >> \(folder.file("seen"))' TERM
            echo "$1 $2" > \(folder.file("seen"))
            streams=$(readlink /proc/$$/fd/1 /proc/$$/fd/2)
            echo "$streams" >> \(folder.file("seen"))
            cut -d ' ' -f 6 /proc/$$/stat >> \(folder.file("seen"))
            cat
            echo end >> \(folder.file("seen"))
            exit 5
            """)
    }

    @Test func watchdogIsOnItsOwnAndEndsWithItsInput() async throws {
        let watchdog = try Watchdog.start(journal: journal, executable: await standIn())
        #expect(await watchdog.finish() == .exited(5))
        let seen = try #require(SmallFile.text(folder.file("seen"))).split(separator: "\n").map(String.init)
        #expect(seen == ["__watchdog \(journal.path)", "/dev/null", "/dev/null", "\(watchdog.pid)", "end"])
    }

    @Test func watchdogEndsWhenItsOwnerForgetsIt() async throws {
        var watchdog: Watchdog? = try Watchdog.start(journal: journal, executable: await standIn())
        let pid = try #require(watchdog?.pid)
        watchdog = nil
        let seen = folder.file("seen")
        let (isEnded, isGone) = await onOwnThread("wait \(pid)") {
            let isEnded = Waiting.untilTrue(before: .now.advanced(by: .seconds(60))) {
                SmallFile.text(seen)?.hasSuffix("end\n") == true
            }
            guard isEnded else { return (false, false) }
            var exited: Int32 = 0
            // A child that had ended by the time its object was freed has been waited for already.
            return (isEnded, waitpid(pid, &exited, 0) == pid || errno == ECHILD)
        }
        #expect(isEnded)
        #expect(isGone)
    }

    @Test func missingProgramIsAnError() {
        #expect(throws: SystemError.self) { try Watchdog.start(journal: journal, executable: "/nowhere/program") }
    }

    @Test func openChangesAreUndoneWhenTheRigIsGone() throws {
        let marker = folder.file("marker")
        try SmallFile.makeFolder(marker)
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        let (input, lifeline) = (ends[0], ends[1])
        let path = journal.path
        let box = Box()
        let thread = ServiceThread(name: "watchdog") {
            box.status.withLock { $0 = Watchdog.keep(journalPath: path, untilEndOf: input) }
        }
        // Announced after the watchdog began to watch: it must read the journal at the end and not at its start.
        _ = try journal.willChange(.program(arguments: ["rmdir", marker], verify: ["test", "!", "-e", marker]))
        close(lifeline)
        thread.join()
        close(input)
        #expect(box.status.withLock { $0 } == 0)
        #expect(!SmallFile.exists(marker))
        #expect(try Journal.open(existing: path).openEntries.isEmpty)
    }

    @Test func leftoverGivesExitCodeFive() throws {
        _ = try journal.willChange(.program(arguments: ["false"], verify: []))
        let input = open("/dev/null", O_RDONLY)
        defer { close(input) }
        #expect(Watchdog.keep(journalPath: journal.path, untilEndOf: input) == 5)
        #expect(Watchdog.keep(journalPath: folder.file("missing"), untilEndOf: input) == 5)
    }
}

private final class Box: Sendable {
    let status = Lock<Int32?>(nil)
}
