package import RigModel
package import Threading

/// Injects what was planned, proves it, heals it, and tells the history. Thread-safe.
///
/// Faults that overlap run at the same time. Each injection is healed at its time, or by ``healAll()`` when the run ends
/// first; one that could not be healed at its time, as while another fault had stopped the server, is tried once more then.
package final class NemesisRunner: Sendable {
    /// Returns when so much of the faults phase has passed; throws when cancelled.
    package typealias Wait = @Sendable (Duration) async throws -> Void

    private struct Active: Sendable {
        let injection: any Injection
        let planned: PlannedInjection
        var isHealing = false
        /// Why it could not be healed when that was tried.
        var failure: String?
    }

    private struct State: Sendable {
        var tasks: [Task<Void, Never>] = []
        /// Begun and not healed, in the order in which they began.
        var active: [Active] = []
        var isEnding = false
    }

    private let plan: [PlannedInjection]
    private let entries: [FaultPlanEntry]
    private let stage: FaultStage
    private let sink: any EventSink
    private let seed: UInt64
    private let state = Lock(State())

    package init(
        plan: [PlannedInjection], entries: [FaultPlanEntry], stage: FaultStage, sink: any EventSink, seed: UInt64
    ) {
        self.plan = plan
        self.entries = entries
        self.stage = stage
        self.sink = sink
        self.seed = seed
    }

    /// How many injections must be in the history of a complete run.
    package var plannedCount: Int { plan.count }

    /// The faults that are active now, in words.
    package func activeFaults() -> [String] {
        state.withLock { state in state.active.map { "\(kind($0.planned)) #\($0.planned.number)" } }
    }

    /// Begins the schedule; the faults phase begins now. Call once.
    ///
    /// - Parameters:
    ///   - now: what the time is, to see how late a fault begins.
    ///   - wait: time; a test gives a manual one, and both of the same.
    package func start(now: @escaping @Sendable () -> MonotonicInstant = { .now }, _ wait: @escaping Wait) {
        let time = PhaseTime(began: now(), now: now, wait: wait)
        var tasks: [Task<Void, Never>] = []
        for planned in plan {
            // One of a sequence waits for the one before it, however late that is. It comes before it in the plan.
            let earlier = planned.after.map { tasks[$0] }
            let task = Task {
                var begin = planned.at
                if let earlier {
                    await earlier.value
                    begin = max(begin, time.passed + gap(before: planned))
                }
                guard (try? await wait(begin)) != nil else { return }
                await run(planned, time)
            }
            tasks.append(task)
        }
        let started = tasks
        state.withLock { $0.tasks = started }
    }

    /// Ends the schedule: what was not injected yet never is, and what is active is healed now, the latest first.
    ///
    /// - Returns: what could not be healed, in words.
    package func healAll() async -> [String] {
        let tasks = state.withLock { state in
            state.isEnding = true
            return state.tasks
        }
        for task in tasks { task.cancel() }
        // An injection that is under way is let finish: half a fault cannot be healed.
        for task in tasks { await task.value }
        for active in state.withLock({ $0.active }).reversed() where active.failure == nil {
            await heal(active.planned, forced: true)
        }
        // What is left may have failed because of another fault, which is no longer there.
        for active in state.withLock({ $0.active }).reversed() { await heal(active.planned, forced: true) }
        return state.withLock { $0.active.compactMap(\.failure) }
    }

    /// The faults phase's clock.
    private struct PhaseTime: Sendable {
        let began: MonotonicInstant
        let now: @Sendable () -> MonotonicInstant
        let wait: Wait

        var passed: Duration { began.duration(to: now()) }
    }

    private func gap(before planned: PlannedInjection) -> Duration {
        if case .sequence(_, let gap)? = entries[planned.entry].group { gap } else { .zero }
    }

    private func kind(_ planned: PlannedInjection) -> String { type(of: entries[planned.entry].fault).shape.name }

    private func run(_ planned: PlannedInjection, _ time: PhaseTime) async {
        let fault = entries[planned.entry].fault
        let injection = fault.makeInjection(seed: seed &+ UInt64(planned.number))
        guard await takeTurn(Active(injection: injection, planned: planned)) else { return }
        record(.inject(fault: planned.number, kind: kind(planned), detail: fault.detail), planned)

        // Shielded from the cancellation that ends the schedule: see healAll.
        let injecting = Task { [stage] () -> String? in
            do {
                try await injection.inject(on: stage)
                return nil
            } catch {
                return "\(error)"
            }
        }
        if let failure = await injecting.value {
            record(Landing(landed: false, evidence: ["reason": .string("injection failed: \(failure)")]), planned)
            await heal(planned, forced: false)
            return
        }
        let begun = time.passed
        let proving = Task { [self] in record(await injection.prove(on: stage), planned) }
        // The effect of a lasting fault may take its whole time to show; of any other it is there now, and healing must
        // not destroy the proof.
        if !type(of: fault).shape.isLasting { await proving.value }
        let isDue = await waitToHeal(planned, begun: begun, time.wait)
        // What the heal does must not count as the fault's effect.
        proving.cancel()
        await proving.value
        if isDue { await heal(planned, forced: false) }
    }

    /// Waits until nobody holds what the fault claims: an earlier one may be late on a busy machine, and must be healed first.
    ///
    /// - Returns: `false` when the schedule ends first: then it never begins.
    private func takeTurn(_ next: Active) async -> Bool {
        let fault = entries[next.planned.entry].fault
        while true {
            let hasBegun: Bool? = state.withLock { state in
                guard !state.isEnding else { return nil }
                guard state.active.allSatisfy({ Claim.disputed(by: entries[$0.planned.entry].fault, fault) == nil })
                else { return false }
                state.active.append(next)
                return true
            }
            guard let hasBegun else { return false }
            if hasBegun { return true }
            guard (try? await Task.sleep(for: .milliseconds(10))) != nil else { return false }
        }
    }

    /// - Parameter begun: when the fault had begun, which may be late.
    /// - Returns: `false` when the schedule ends first; then ``healAll()`` heals.
    private func waitToHeal(_ planned: PlannedInjection, begun: Duration, _ wait: Wait) async -> Bool {
        switch planned.heal {
        case .atOnce: true
        case .at(let time): (try? await wait(time)) != nil
        // Counted from when the fault had begun: a restart is down from then on.
        case .after(let duration): (try? await wait(max(planned.at, begun) + duration)) != nil
        }
    }

    private func heal(_ planned: PlannedInjection, forced: Bool) async {
        let injection = state.withLock { state -> (any Injection)? in
            guard let index = state.active.firstIndex(where: { $0.planned.number == planned.number }),
                !state.active[index].isHealing
            else { return nil }
            state.active[index].isHealing = true
            return state.active[index].injection
        }
        guard let injection else { return }
        let healing = Task { [stage] () -> Result<JSONValue, any Error> in
            do { return .success(try await injection.heal(on: stage)) } catch { return .failure(error) }
        }
        let result = await healing.value
        switch result {
        case .success(let facts):
            state.withLock { $0.active.removeAll { $0.planned.number == planned.number } }
            record(.heal(fault: planned.number, kind: kind(planned), ok: true, forced: forced, facts: facts), planned)
        case .failure(let error):
            state.withLock { state in
                guard let index = state.active.firstIndex(where: { $0.planned.number == planned.number }) else {
                    return
                }
                state.active[index].isHealing = false
                state.active[index].failure = "\(kind(planned)) #\(planned.number) could not be healed: \(error)"
            }
            record(
                .heal(
                    fault: planned.number, kind: kind(planned), ok: false, forced: forced,
                    facts: ["error": .string("\(error)")]), planned)
        }
    }

    private func record(_ landing: Landing, _ planned: PlannedInjection) {
        record(
            .landed(
                fault: planned.number, kind: kind(planned), landed: landing.landed, evidence: landing.evidence), planned
        )
    }

    private func record(_ fact: NemesisFact, _ planned: PlannedInjection) {
        sink.record(.info, .nemesis, fact.function, fact.value)
    }
}
