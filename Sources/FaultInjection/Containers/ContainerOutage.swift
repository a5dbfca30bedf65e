import HostSystem
import RigModel
import Threading

/// A container ends, and is started again.
///
/// Landed: the engine says that it has exited since.
actor ContainerOutage: Injection {
    private let stop: [String]
    private let stopLimit: Duration
    private let grace: Duration
    private var before: ContainerState?
    private var after: ContainerState?
    private var entry: Int?
    private var downSince = MonotonicInstant.now

    /// - Parameters:
    ///   - stop: arguments for the engine's program, before the container's id.
    ///   - stopLimit: how long the program may take for it.
    ///   - grace: how long it may take to end after that.
    init(stop: [String], stopLimit: Duration = .zero, grace: Duration) {
        self.stop = stop
        self.stopLimit = stopLimit
        self.grace = grace
    }

    func inject(on stage: FaultStage) async throws {
        let engine = try ContainerEngine(stage)
        let state = try await engine.state()
        guard state.isRunning, !state.isPaused else {
            throw InjectionError("the container is \(state.status): there is nothing to stop")
        }
        before = state
        entry = try engine.journal.willChange(engine.startAgain)
        try await engine.run(stop + [engine.place.id], longer: stopLimit)
        (after, _) = await engine.state(within: grace) { $0.finishedAt != state.finishedAt }
        downSince = .now
    }

    func prove(on stage: FaultStage) async -> Landing {
        guard let before, let after else {
            return Landing(landed: false, evidence: ["reason": "the engine does not say what became of the container"])
        }
        let hasEnded = after.finishedAt != before.finishedAt
        var evidence: [JSONValue.Member] = [
            .init("status", .string(after.status)), .init("exit_code", JSONValue(after.exitCode)),
            .init("started_at", .string(before.startedAt)), .init("finished_at", .string(after.finishedAt)),
        ]
        if !hasEnded {
            evidence.append(.init("reason", .string("the container still runs \(grace.words) after the signal")))
        }
        return Landing(landed: hasEnded, evidence: .object(evidence))
    }

    func heal(on stage: FaultStage) async throws -> JSONValue {
        let engine = try ContainerEngine(stage)
        guard let entry, let before else { return ["nothing_to_undo": true] }
        // One that was told to end but waits for its clients lets nobody in: it is ended for good.
        if try await engine.state().finishedAt == before.finishedAt {
            try await engine.run(["stop", "-t", ContainerEngine.stopSeconds, engine.place.id])
        }
        try await engine.run(["start", engine.place.id])
        let (state, isUp) = await engine.state(within: .seconds(30)) { $0.isRunning && !$0.isPaused }
        guard isUp, let state, state.startedAt != before.startedAt else {
            throw InjectionError("the container was started, but it is \(state?.status ?? "not to be seen")")
        }
        let answered = try await engine.waitForAnswer()
        try engine.journal.didUndo(entry)
        self.entry = nil
        return [
            "started_at": .string(state.startedAt), "down_s": .double(downSince.duration(to: .now).seconds),
            "answered_after_s": .double(answered.seconds),
        ]
    }
}
