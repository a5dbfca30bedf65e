package import RigModel
import Threading

/// A disk of the server is full: that of a table, which only fails what writes to it, or that of the write-ahead log, which
/// takes the whole server down again and again.
///
/// Landed: a write of the pool's role gets 53100; or the server has ended with `No space left on device` in its log.
package struct DiskFull: Fault {
    package static let shape = Shape(
        name: "disk-full", summary: "a disk of the server is full: its tables' (53100) or its write-ahead log's",
        parameters: [
            Parameter(
                "what", .choice(["data", "wal"]), default: .choice("data"),
                summary: "data (the workload's append table) or wal (the server dies, and dies again)"),
            Parameter(
                "fill", .share, default: .share(1), summary: "data: how much of the free space is taken"),
            Parameter(
                "restart-every", .duration, default: .duration(.seconds(1)),
                summary: "wal: how often somebody starts the server again"),
        ], isLasting: true)

    private let isLog: Bool
    private let fill: Double
    private let restartEvery: Duration

    package init(_ parameters: Parameters) {
        isLog = parameters.choice("what") == "wal"
        fill = parameters.share("fill") ?? 1
        restartEvery = max(parameters.duration("restart-every") ?? .seconds(1), .milliseconds(100))
    }

    package var needs: Set<StagePart> { [.server, .statements, .settings] }
    package var capabilities: [Set<Capability>] { [[.tmpfs]] }
    package var claims: Set<Claim> { isLog ? [.serverLife] : [.databaseFile] }
    // A standby repeats each CREATE TABLESPACE, with the same path; here that is the same folder.
    package var excludes: [StagePart: String] {
        isLog
            ? [:]
            : [
                .standby:
                    "cannot fill the tables' disk (what: data) of a target with a standby, which would write to the "
                    + "same folder as the server: leave standby: out"
            ]
    }
    package var ownDuration: Duration? { nil }
    package var detail: String {
        isLog
            ? "write-ahead log, started again every \(restartEvery.words)"
            : "append table, \(Int((fill * 100).rounded())) % of what is free"
    }
    package func makeInjection(seed: UInt64) -> any Injection {
        isLog ? FullLogDisk(restartEvery: restartEvery) : FullTableDisk(share: fill)
    }
}
