package import RigModel
import Threading

/// A session of somebody else holds a lock on one of the workload's tables; or reads it in a transaction that was left open,
/// behind which a migration waits for the whole table, behind which everybody else waits.
///
/// Landed: the server says that sessions of the pool wait for the fault's.
package struct LockContention: Fault {
    package static let shape = Shape(
        name: "lock-contention", summary: "a table of the workload is locked, or a queued migration blocks it",
        parameters: [
            Parameter(
                "holder", .choice(Holder.allCases.map(\.rawValue)), default: .choice("session"),
                summary: "session (one session holds the lock), pending-exclusive (an idle transaction has read the "
                    + "table, and an exclusive lock waits behind it)"),
            Parameter(
                "table", .choice(["accounts", "appends"]), default: .choice("accounts"), summary: "which table"),
            Parameter(
                "mode", .choice(modes), default: .choice("access-exclusive"),
                summary: "what the session holds (LOCK TABLE); weaker ones let readers, or writers, go on"),
        ], isLasting: true)

    enum Holder: String, CaseIterable {
        case session
        case pendingExclusive = "pending-exclusive"
    }

    private static let modes = [
        "access-share", "row-share", "row-exclusive", "share-update-exclusive", "share", "share-row-exclusive",
        "exclusive", "access-exclusive",
    ]

    private let holder: Holder
    private let onAppends: Bool
    private let mode: String

    package init(_ parameters: Parameters) {
        holder = parameters.choice("holder").flatMap(Holder.init) ?? .session
        onAppends = parameters.choice("table") == "appends"
        mode = parameters.choice("mode") ?? "access-exclusive"
    }

    package var needs: Set<StagePart> { [.statements, .sessions] }
    package var ownDuration: Duration? { nil }

    package var detail: String {
        let what = holder == .session ? "\(mode) held" : "an exclusive lock queued behind an idle transaction"
        return "\(what) on \(onAppends ? "appends" : "accounts")"
    }

    package func makeInjection(seed: UInt64) -> any Injection {
        LockQueue(
            onAppends: onAppends, held: holder == .session ? mode : "access-share",
            queued: holder == .session ? nil : "access-exclusive")
    }
}

/// Holds a lock, and has another one wait behind it.
private actor LockQueue: Injection {
    private static let lockLimit = Duration.seconds(10)
    /// Longer than any fault.
    private static let queueLimit = Duration.seconds(86_400)

    private let onAppends: Bool
    private let held: String
    private let queued: String?
    private var holder: (any FaultSession)?
    private var waiter: (any FaultSession)?
    private var waiting: Task<Void, Never>?
    /// Of both sessions; kept after the end.
    private var pids: [Int32] = []
    private var most = 0

    init(onAppends: Bool, held: String, queued: String?) {
        self.onAppends = onAppends
        self.held = held
        self.queued = queued
    }

    private static func lock(_ table: String, _ mode: String) -> String {
        "LOCK TABLE \(table) IN \(mode.uppercased().replacing("-", with: " ")) MODE"
    }

    func inject(on stage: FaultStage) async throws {
        let statements = try stage.needed(stage.statements, .statements)
        let table = onAppends ? statements.appendsTable : statements.accountsTable
        let holder = try await statements.openSession(as: nil)
        self.holder = holder
        pids.append(holder.pid)
        try await holder.run("BEGIN", within: Self.lockLimit)
        try await holder.run(Self.lock(table, held), within: Self.lockLimit)
        guard let queued else { return }
        let waiter = try await statements.openSession(as: nil)
        self.waiter = waiter
        pids.append(waiter.pid)
        try await waiter.run("BEGIN", within: Self.lockLimit)
        // It waits until the heal ends it.
        waiting = Task { _ = try? await waiter.run(Self.lock(table, queued), within: Self.queueLimit) }
    }

    private func look(_ stage: FaultStage) async throws -> [Int32] {
        guard let statements = stage.statements, let sessions = stage.sessions, !pids.isEmpty else { return [] }
        let waiters = try await LockWaiters.pids(of: pids, by: statements)
        let ofThePool = Set(try await sessions.sessions().map(\.pid))
        let blocked = waiters.filter(ofThePool.contains)
        most = max(most, blocked.count)
        return blocked
    }

    func prove(on stage: FaultStage) async -> Landing {
        var blocked: [Int32] = []
        var failure: String?
        while blocked.isEmpty, !Task.isCancelled, holder != nil {
            do { blocked = try await look(stage) } catch { failure = "\(error)" }
            if blocked.isEmpty { try? await Task.sleep(for: .milliseconds(20)) }
        }
        var evidence: [JSONValue.Member] = [
            .init("held", .string(held)), .init("queued", JSONValue(queued)),
            .init("holders", .array(pids.map { JSONValue($0) })),
            .init("waiting_pool_sessions", .array(blocked.prefix(20).map { JSONValue($0) })),
        ]
        if blocked.isEmpty {
            let why = failure.map { "; the last look failed: \($0)" } ?? ""
            evidence.append(.init("reason", .string("no session of the pool waited for the lock\(why)")))
        }
        return Landing(landed: !blocked.isEmpty, evidence: .object(evidence))
    }

    func heal(on stage: FaultStage) async throws -> JSONValue {
        let statements = try stage.needed(stage.statements, .statements)
        _ = try? await look(stage)
        if let waiter {
            // A server does not look at the socket of a session that waits for a lock: it has to be told.
            try await Retrying.undo { try await LockWaiters.end(waiter.pid, by: statements) }
            await waiter.close()
            waiting?.cancel()
            await waiting?.value
        }
        if let holder {
            _ = try? await holder.run("ROLLBACK", within: .seconds(2))
            await holder.close()
        }
        if !pids.isEmpty { try await LockWaiters.waitUntilNone(of: pids, by: statements) }
        (holder, waiter, waiting) = (nil, nil, nil)
        return ["waited_at_the_most": JSONValue(most)]
    }
}
