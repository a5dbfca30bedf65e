import FaultInjection
import HostSystem
import RigModel
import Workloads

/// The database under test, and what the rig does with it beside the pool.
protocol RunTarget: Sendable {
    /// For the report; passwords masked.
    var description: String { get }
    /// Versions, for the report's environment.
    var environment: [JSONValue.Member] { get }
    /// What faults may act on here.
    var stage: FaultStage { get }

    /// Creates the workload's tables and tells the history what is in them.
    func prepare(_ sink: any EventSink) async throws(RunError)
    /// The same for one more round: with new tables in place of those of the last one, under the same names.
    func prepareAgain(_ sink: any EventSink) async throws(RunError)
    /// The pool under test, with its connections on the way that faults can disturb.
    ///
    /// - Parameter sink: is told what the pool tells of itself.
    func makePool(_ sink: any EventSink) async throws(RunError) -> any PoolUnderTest
    /// What the outside sees of the pool now. A part that cannot be read, or does not exist here, is `nil`.
    ///
    /// - Parameter afterClose: the pool is closed; the rig closes what it holds itself before it counts.
    func outsideBooks(afterClose: Bool) async -> OutsideBooks
    /// Reads what the workload left, and tells the history.
    func readFinalState(_ sink: any EventSink) async throws
    /// Removes everything that the run brought into being here.
    ///
    /// - Returns: what could not be removed, with the command that would.
    func tearDown() async -> [String]
}

extension RunTarget {
    /// The process that holds the pool; `nil`: the rig.
    var poolPID: Int32? { stage.client?.process?.pid }
}

/// The two books that are not the pool's own.
struct OutsideBooks: Sendable, Equatable {
    var serverSessions: Int?
    /// Sessions in words, for the evidence of a difference.
    var sessions: JSONValue = .null
    /// The server's sessions of the pool; `nil`: not read, or not the pool's (a pooler's).
    var poolSessions: [PoolSession]?
    /// Client sockets, or descriptors of an embedded database.
    var clientSockets: Int?
}
