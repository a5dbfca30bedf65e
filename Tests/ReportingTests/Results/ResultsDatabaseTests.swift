import Dispatch
import Foundation
import RigModel
import RigTestSupport
import Testing

@testable import Reporting

/// The results database on real files.
struct ResultsDatabaseTests {
    private let folder: TemporaryFolder
    private var path: String { folder.file("results.db") }

    init() throws { folder = try TemporaryFolder() }

    private func open() throws -> ResultsDatabase { try ResultsDatabase(path: path, mayCreate: true) }

    private func error(_ body: () throws -> Void) -> ResultsError? {
        do { try body() } catch { return error as? ResultsError }
        return nil
    }

    @Test func whatIsFiledIsRead() throws {
        var builder = RunBuilder(seed: 1)
        let runs = builder.runs(3)
        let database = try open()
        for run in runs { try database.file(run) }
        let read = try ResultsDatabase(path: path, mayCreate: false)
        #expect(try read.runs(of: "db-restart", last: 30) == runs)
        #expect(try read.runs(of: "db-restart", last: 2) == Array(runs.suffix(2)))
        #expect(try read.run(id: 2) == runs[1])
        #expect(try read.latest() == runs[2])
        #expect(try read.scenarios() == ["db-restart"])
    }

    /// What somebody sees who may read everything in the folder, and write nothing.
    private func asReader<R: Sendable>(_ body: @escaping @Sendable () -> R) async -> R {
        chmod(folder.path, 0o555)
        defer { chmod(folder.path, 0o755) }
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                // Of this thread alone; modes do not bind root.
                SystemUser.setForFiles(65534)
                let result = body()
                SystemUser.setForFiles(getuid())
                continuation.resume(returning: result)
            }
        }
    }

    @Test("A database is read where nobody may write, as in a kept artifact", arguments: ["results.db", "a b%20?#.db"])
    func unwritableFolderIsRead(_ name: String) async throws {
        let path = folder.file(name)
        var builder = RunBuilder(seed: 1)
        let runs = builder.runs(2)
        do {
            let database = try ResultsDatabase(path: path, mayCreate: true)
            for run in runs { try database.file(run) }
        }
        let read = await asReader {
            Result { try ResultsDatabase(path: path, mayCreate: false).runs(of: "db-restart", last: 9) }
        }
        #expect(try read.get() == runs)
    }

    @Test("Runs that only the log holds are missed aloud")
    func unreadableLogIsNotIgnored() async throws {
        var builder = RunBuilder(seed: 1)
        let writer = try ResultsDatabase(path: folder.file("living.db"), mayCreate: true)
        try writer.file(builder.run())
        for ending in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: folder.file("living.db") + ending, toPath: path + ending)
        }
        let path = path
        let result = await asReader { Result { try ResultsDatabase(path: path, mayCreate: false).scenarios() } }
        let error = error { _ = try result.get() }
        #expect(error?.description.contains("results.db-wal holds runs that are not in it yet") == true, "\(result)")
        #expect(try ResultsDatabase(path: path, mayCreate: false).scenarios() == ["db-restart"])
    }

    @Test("A trend gets as many runs as it asked for that can be compared, though other servers' runs lie between them")
    func comparableRunsAreFound() throws {
        var builder = RunBuilder(seed: 1)
        let database = try open()
        for number in 0..<40 {
            var run = builder.run()
            run.startedAt = "2026-11-\(number < 20 ? 10 : 11)T10:\(10 + number)"
            run.origin.server = "PostgreSQL \(13 + number % 5)"
            // The newest is no standard.
            if number == 39 { run.measures.append(.init(name: FiledRun.interrupted, value: 1)) }
            try database.file(run)
        }
        let runs = try database.comparableRuns(of: "db-restart", last: 7)
        #expect(runs.map(\.id) == [9, 14, 19, 24, 29, 34, 35, 36, 37, 38, 39, 40])
        #expect(Trend(scenario: "db-restart", runs: runs).comparable == 7)
        #expect(runs[0] == (try database.run(id: 9)))
    }

    @Test("A scenario that is not run any more is no part of the whole trend")
    func retiredScenarios() throws {
        let database = try open()
        for (number, name, day) in [(1, "old", "2026-09-01"), (2, "rare", "2026-10-20"), (3, "new", "2026-11-11")] {
            var run = FiledRun.plain(number: number)
            run.scenario = name
            run.startedAt = "\(day)T10:00:00Z"
            try database.file(run)
        }
        #expect(try database.scenarios(ofLastDays: 30) == ["new", "rare"])
        #expect(try database.scenarios() == ["new", "old", "rare"])
    }

    @Test("Filing a run again replaces it, and keeps its number")
    func filingIsIdempotent() throws {
        var builder = RunBuilder(seed: 1)
        var run = builder.run()
        let database = try open()
        let id = try database.file(run)
        try database.file(builder.run())
        run.verdict = "invalid"
        run.recoveries = []
        #expect(try database.file(run) == id)
        run.id = id
        #expect(try database.run(id: id) == run)
        #expect(try database.runs(of: "db-restart", last: 30).count == 2)
    }

    @Test("A run that cannot be filed whole is not filed at all")
    func filingIsAtomic() throws {
        var builder = RunBuilder(seed: 1)
        var run = builder.run()
        // The last table refuses it.
        run.measures = [.init(name: "steady_ok_per_s", value: .nan)]
        let database = try open()
        #expect(error { try database.file(run) } != nil)
        #expect(try database.scenarios().isEmpty)
        let tables = try SQLiteFile(path: path, mayCreate: false, patienceSeconds: 1)
        for table in ["runs", "scenarios", "operations"] {
            #expect(try tables.run("SELECT count(*) FROM \(table)") == [[.int(0)]])
        }
    }

    @Test("Four rigs file at the same time, the first of them makes the file")
    func manyWriters() async throws {
        let path = path
        let problems = await withTaskGroup(of: [String].self) { group in
            for writer in 0..<4 {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        Thread {
                            var problems: [String] = []
                            for number in 1...10 {
                                do {
                                    let database = try ResultsDatabase(path: path, mayCreate: true)
                                    var run = FiledRun.plain(number: number)
                                    run.folder = "\(writer)/\(number)"
                                    try database.file(run)
                                } catch {
                                    problems.append("\(error)")
                                }
                            }
                            continuation.resume(returning: problems)
                        }.start()
                    }
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(problems == [])
        let runs = try ResultsDatabase(path: path, mayCreate: false).runs(of: "db-restart", last: 100)
        #expect(Set(runs.map(\.folder)).count == 40)
        #expect(Set(runs.map(\.id)).count == 40)
    }

    @Test("A damaged file is left as it is, and the error says what to do")
    func damagedFile() throws {
        let bytes = Data("this is not a database, but long enough to be one".utf8) + Data(count: 8192)
        try bytes.write(to: URL(fileURLWithPath: path))
        let seen = error { _ = try open() }
        guard case .damaged = seen else {
            Issue.record("\(String(describing: seen))")
            return
        }
        #expect("\(seen!)".contains("mv \(path)"))
        #expect("\(seen!)".contains("--refile"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == bytes)
    }

    @Test("Pages that are damaged later are told, too")
    func damagedPages() throws {
        var builder = RunBuilder(seed: 1)
        do {
            let database = try open()
            for run in builder.runs(30) { try database.file(run) }
        }
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(bytes.count > 8 * 4096)
        bytes.replaceSubrange(4096..., with: Data(repeating: 0xA5, count: bytes.count - 4096))
        try bytes.write(to: URL(fileURLWithPath: path))
        let seen = error { _ = try ResultsDatabase(path: path, mayCreate: false).runs(of: "db-restart", last: 30) }
        guard case .damaged = seen else {
            Issue.record("\(String(describing: seen))")
            return
        }
    }

    @Test func newerFormatIsRefused() throws {
        _ = try open()
        try SQLiteFile(path: path, mayCreate: false, patienceSeconds: 1).execute("PRAGMA user_version=7")
        #expect(error { _ = try open() } == .tooNew(path: path, format: 7, known: 1))
    }

    @Test func databaseOfAnotherProgramIsRefused() throws {
        try SQLiteFile(path: path, mayCreate: true, patienceSeconds: 1).execute("CREATE TABLE mine (x)")
        #expect(error { _ = try open() } == .foreign(path: path))
    }

    @Test("A folder that is a file, and a reader without a database")
    func noDatabase() throws {
        #expect(error { _ = try ResultsDatabase(path: path, mayCreate: false) } == .noDatabase(path: path))
        #expect(!FileManager.default.fileExists(atPath: path))
        try Data().write(to: URL(fileURLWithPath: folder.file("file")))
        let inside = folder.file("file/results.db")
        guard case .failed = error({ _ = try ResultsDatabase(path: inside, mayCreate: true) }) else {
            Issue.record("a file is no folder")
            return
        }
    }

    @Test("A folder in which nobody may write, not even root")
    func readOnlyFolder() throws {
        let seen = error { _ = try ResultsDatabase(path: "/proc/results.db", mayCreate: true) }
        guard case .failed(let path, _) = seen else {
            Issue.record("\(String(describing: seen))")
            return
        }
        #expect(path == "/proc/results.db")
        #expect("\(seen!)".contains("writable"))
    }
}

/// setfsuid(2), which Glibc's module does not show.
private enum SystemUser {
    static func setForFiles(_ user: uid_t) {
        guard let symbol = dlsym(nil, "setfsuid") else { fatalError("this libc has no setfsuid") }
        _ = unsafeBitCast(symbol, to: (@convention(c) (uid_t) -> CInt).self)(user)
    }
}
