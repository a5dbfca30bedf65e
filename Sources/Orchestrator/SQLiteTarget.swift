import ConnectionPool
import FaultInjection
import Foundation
import HostSystem
import Probes
import RigModel
import SQLiteDriver
import Threading
import Workloads

/// A SQLite file under test: no server, no network.
struct SQLiteTarget: RunTarget {
    private let context: TargetContext
    private let path: String
    private let isTemporary: Bool
    /// Only where a fault needs it: it costs a little on every call.
    private let shim: SQLiteShim?
    /// Where copies of the file may be.
    private let scratchFolder: String
    private let database: WorkloadDatabase<SQLiteDriver>
    let stage: FaultStage

    /// - Parameters:
    ///   - path: of the database file; created when it is missing.
    ///   - needsShim: a fault looks at the pool's calls on the file.
    init(context: TargetContext, path: String, isTemporary: Bool, scratch: RunScratch, needsShim: Bool) {
        self.context = context
        self.path = path
        self.isTemporary = isTemporary
        scratchFolder = scratch.path
        shim = needsShim ? SQLiteShim() : nil
        database = WorkloadDatabase(
            admin: AdminSession(driver: SQLiteDriver(SQLiteConfiguration(path: path))),
            schema: context.schema(.sqlite))
        stage = FaultStage(
            sessions: nil, server: nil, link: nil,
            file: shim.map {
                SQLiteFileControl(path: path, shim: $0, scratch: scratch, journal: context.journal)
            },
            journal: context.journal)
    }

    var description: String { isTemporary ? "temporary SQLite database" : "SQLite database \(path)" }

    var environment: [JSONValue.Member] { [.init("server", .string("SQLite \(SQLiteDriver.libraryVersion)"))] }

    func prepare(_ sink: any EventSink) async throws(RunError) { try await database.prepare(sink) }

    func prepareAgain(_ sink: any EventSink) async throws(RunError) { try await database.prepareAgain(sink) }

    func makePool(_ sink: any EventSink) async throws(RunError) -> any PoolUnderTest {
        let file = SQLiteConfiguration(path: path, fileSystem: shim?.name)
        return PoolAssembly(context: context, begin: database.schema.begin, sink: sink).make(SQLiteDriver(file))
    }

    /// While connections are open their descriptors say little: SQLite keeps those of closed connections until the last
    /// lock of the process on the file is gone. After the pool's close nothing may be open any more.
    func outsideBooks(afterClose: Bool) async -> OutsideBooks {
        guard afterClose else { return OutsideBooks() }
        await database.admin.close()
        let folders = isTemporary ? [path] : [path, scratchFolder]
        let open = folders.compactMap { DescriptorProbe.openDescriptors(ofPathsBeginningWith: $0) }
        return OutsideBooks(clientSockets: open.count == folders.count ? open.reduce(0, +) : nil)
    }

    func readFinalState(_ sink: any EventSink) async throws { try await database.readFinalState(sink) }

    func tearDown() async -> [String] {
        let left = isTemporary ? [] : await database.dropTables()
        await database.admin.close()
        return left
    }
}
