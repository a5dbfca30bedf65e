import HostSystem
import RigModel
import Threading

/// Looks for one session of the pool that a fault on a single backend takes.
struct SessionHunt: Sendable {
    /// A rare state may match nothing at first: it is looked for again for so long.
    static let limit = Duration.seconds(2)

    let selection: KillConnections.Selection

    static let parameter = Parameter(
        "select", .choice(KillConnections.Selection.allCases.map(\.rawValue)), default: .choice("all"),
        summary: "which sessions qualify where one backend is meant: all, idle, in-transaction, idle-in-transaction")

    init(_ parameters: Parameters) {
        selection = parameters.choice("select").flatMap(KillConnections.Selection.init) ?? .all
    }

    var words: String { selection == .all ? "backend" : "backend that is \(selection.rawValue)" }

    /// Draws a session that qualifies, with its process.
    ///
    /// - Returns: it, and all sessions that the pool had then; `nil` when none qualified in time.
    func find(
        _ sessions: any SessionControl, _ server: any ServerControl, seed: UInt64
    ) async throws -> (victim: ProcessIdentity, session: ServerSession, all: [ServerSession])? {
        var generator = SeededGenerator(seed: seed, stream: "hunt")
        let giveUpAt = MonotonicInstant.now.advanced(by: Self.limit)
        while true {
            let all = try await sessions.sessions()
            if let session = all.filter(selection.matches).randomElement(using: &generator),
                let process = await server.processes().first(where: { $0.pid == session.pid })
            {
                return (process, session, all)
            }
            guard MonotonicInstant.now < giveUpAt else { return nil }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    var nothingFound: Landing {
        Landing(
            landed: false,
            evidence: ["reason": .string("the pool had no \(words) within \(Self.limit.words)")])
    }
}
