package import RigModel
import Threading

/// Sessions of the pool are ended: by the server (`pg_terminate_backend`: what an operator or a failover does), or by the
/// network (RST, FIN: what a proxy, a firewall or a kernel does).
///
/// Landed: the sessions, each named by pid and start, are gone from `pg_stat_activity`, or their sockets were really closed.
package struct KillConnections: Fault {
    package static let shape = Shape(
        name: "kill-connections", summary: "sessions of the pool are ended, by the server or by the network",
        parameters: [
            Parameter(
                "select", .choice(Selection.allCases.map(\.rawValue)), default: .choice("all"),
                summary: "which sessions qualify: all, idle, in-transaction (active or idle), idle-in-transaction, "
                    + "oldest (all, the oldest first)"),
            Parameter(
                "count", .choice(["all"]), .count, .share, default: .choice("all"),
                summary: "how many of them: all, a number, or a share like 50%"),
            Parameter(
                "how", .choice(How.allCases.map(\.rawValue)), default: .choice("terminate"),
                summary: "terminate (pg_terminate_backend), reset or fin (both sides, by the relay), "
                    + "socket-kill (the server's sockets, by ss -K)"),
        ])

    enum Selection: String, CaseIterable {
        case all
        case idle
        case inTransaction = "in-transaction"
        case idleInTransaction = "idle-in-transaction"
        case oldest

        func matches(_ session: ServerSession) -> Bool {
            switch self {
            case .all, .oldest: true
            case .idle: session.state == "idle"
            case .inTransaction: session.state.hasPrefix("idle in transaction") || session.state == "active"
            case .idleInTransaction: session.state.hasPrefix("idle in transaction")
            }
        }
    }

    enum How: String, CaseIterable {
        case terminate
        case reset
        case fin
        case socketKill = "socket-kill"
    }

    private let selection: Selection
    private let amount: ParameterValue
    private let how: How

    package init(_ parameters: Parameters) {
        selection = parameters.choice("select").flatMap(Selection.init) ?? .all
        amount = parameters["count"] ?? .choice("all")
        how = parameters.choice("how").flatMap(How.init) ?? .terminate
    }

    package var needs: Set<StagePart> {
        switch how {
        case .terminate: [.sessions]
        case .reset, .fin: [.sessions, .link]
        case .socketKill: [.sessions, .statements, .server]
        }
    }

    package var capabilities: [Set<Capability>] { how == .socketKill ? [[.socketKill]] : [[]] }
    package var ownDuration: Duration? { nil }

    package var detail: String {
        let which = selection == .all ? "" : " \(selection.rawValue)"
        let by = how == .terminate ? "" : ", \(how.rawValue)"
        return SessionQuota.words(amount, "\(which) sessions") + by
    }

    package func makeInjection(seed: UInt64) -> any Injection {
        KillInjection(fault: self, how: how, generator: SeededGenerator(seed: seed, stream: "kill"))
    }

    /// It can end something at all.
    var wantsAny: Bool { SessionQuota.of(amount, matching: 1_000) > 0 }

    /// Draws the sessions to end.
    func choose(_ sessions: [ServerSession], _ generator: inout SeededGenerator) -> [ServerSession] {
        let matching = sessions.filter(selection.matches)
        let ordered =
            selection == .oldest
            ? matching.sorted { $0.ageSeconds > $1.ageSeconds } : matching.shuffled(using: &generator)
        return Array(ordered.prefix(SessionQuota.of(amount, matching: matching.count)))
    }
}

/// How many of the sessions that qualify: all, a number, or a share.
enum SessionQuota {
    /// A share takes at least one, unless it is 0.
    static func of(_ amount: ParameterValue, matching: Int) -> Int {
        switch amount {
        case .count(let count): min(count, matching)
        case .share(let share): share > 0 ? min(max(1, Int((share * Double(matching)).rounded())), matching) : 0
        default: matching
        }
    }

    static func words(_ amount: ParameterValue, _ what: String) -> String {
        switch amount {
        case .count(let count): "\(count)\(what)"
        case .share(let share): "\(Int((share * 100).rounded())) % of the\(what)"
        default: "all\(what)"
        }
    }
}
