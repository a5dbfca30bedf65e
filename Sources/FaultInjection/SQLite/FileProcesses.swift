import RigModel
import Threading

/// A fault that another process makes by what it does to the database file.
actor FileProcessInjection: Injection {
    /// The workload itself may hold the lock for a moment when it is looked at.
    private static let tries = 100

    private let work: FileWork
    private var process: (any FileProcess)?
    private var busyBefore = 0
    private var isHealed = false

    init(_ work: FileWork) { self.work = work }

    func inject(on stage: FaultStage) async throws {
        let file = try stage.needed(stage.file, .file)
        process = try await file.startProcess(work)
        // The pool's own writers meet each other, too: from here on it is the other process.
        busyBefore = file.busyLocks()
    }

    /// The pool itself must have met the lock: one that only reads does not notice it.
    func prove(on stage: FaultStage) async -> Landing {
        guard let file = stage.file, let process else { return Landing(landed: false, evidence: ["reason": "no file"]) }
        var code = "not tried"
        var hasDied = false
        return await untilProven(isHealed: { isHealed }) {
            // What is seen after the end says nothing of the fault.
            if !isHealed { code = await file.tryWrite() }
            let met = file.busyLocks() - busyBefore
            let facts: [JSONValue.Member] = [
                .init("pid", JSONValue(process.pid)), .init("write_without_waiting", .string(code)),
                .init("pool_met_the_lock", JSONValue(met)),
            ]
            // Asked last: as long as it runs, what was seen until now may be its doing.
            if !isHealed { hasDied = !process.isRunning }
            if !isHealed, !hasDied, code.hasPrefix("SQLITE_BUSY"), met > 0 {
                return Landing(landed: true, evidence: .object(facts))
            }
            let reason =
                hasDied
                ? "the other process has ended by itself"
                : met == 0
                    ? "no connection of the pool asked for the write lock meanwhile"
                    : "a write beside the pool was not refused"
            return Landing(landed: false, evidence: .object(facts + [.init("reason", .string(reason))]))
        }
    }

    func heal(on stage: FaultStage) async throws -> JSONValue {
        let file = try stage.needed(stage.file, .file)
        isHealed = true
        try await process?.end()
        let turns = process?.turns ?? 0
        var code = ""
        for _ in 1...Self.tries {
            code = await file.tryWrite()
            let explanation = file.explanation(of: code, besides: [])
            if code == "SQLITE_OK" || explanation != nil {
                let why = explanation.map { [JSONValue.Member("because", .string($0))] } ?? []
                return .object(
                    [.init("write_without_waiting", .string(code)), .init("lock_taken", JSONValue(turns))] + why)
            }
            try? await Task.sleep(for: .milliseconds(10))
        }
        throw InjectionError("the other process is gone, but a write still gets \(code)")
    }
}
