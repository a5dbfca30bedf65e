import Glibc
import HostSystem
package import RigModel
import Threading

/// The process that holds the pool gets next to no processor time: a crowded host, a limit that is too small. By a control group
/// where the rig may make one (root), else by stopping and continuing it many times a second, which anybody may.
///
/// Landed: the kernel has throttled the group, or the process was seen stopped; and a question to it takes longer than before.
package struct ClientCPU: Fault {
    package static let shape = Shape(
        name: "client-cpu", summary: "the process that holds the pool gets next to no processor time (control group)",
        parameters: [
            Parameter(
                "share", .share, default: .share(0.95),
                summary: "of one processor that it does not get: 95% leaves 5 ms of each 100 ms"),
            Parameter(
                "via", .choice(Mechanism.allCases.map(\.rawValue)), default: .choice("auto"),
                summary:
                    "cgroup (needs root), duty-cycle (stopped and continued, needs nothing), or auto: cgroup where it works"
            ),
        ], isLasting: true)

    enum Mechanism: String, CaseIterable {
        case auto
        case cgroup
        case dutyCycle = "duty-cycle"
    }

    /// Of both mechanisms; the kernel's own default.
    static let period = Duration.milliseconds(100)

    private let share: Double
    private let mechanism: Mechanism

    package init(_ parameters: Parameters) {
        share = parameters.share("share") ?? 0.95
        mechanism = parameters.choice("via").flatMap(Mechanism.init) ?? .auto
    }

    package var needs: Set<StagePart> { [.client] }
    package var capabilities: [Set<Capability>] {
        switch mechanism {
        case .auto: [[.cpuLimit], []]
        case .cgroup: [[.cpuLimit]]
        case .dutyCycle: [[]]
        }
    }
    /// The duty cycle lets a process go on that another fault has stopped.
    package var claims: Set<Claim> { mechanism == .cgroup ? [.clientLimits] : [.clientLimits, .clientLife] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "\(Int((share * 100).rounded())) % of a processor taken away, \(mechanism.rawValue)" }
    package func makeInjection(seed: UInt64) -> any Injection { Starvation(share: share, mechanism: mechanism) }

    /// What is left of each period. The kernel takes 1 ms and more.
    static func left(of share: Double) -> Duration {
        max(.milliseconds(1), .nanoseconds(Int64(Double(period.nanoseconds) * (1 - share))))
    }

    private actor Starvation: Injection {
        private static let proofLimit = Duration.seconds(10)

        private let share: Double
        private let mechanism: Mechanism
        private var group: (group: ControlGroup, entry: Int)?
        private var whyNoGroup: String?
        private var cycle: DutyCycle?
        private var cycleEntry: Int?
        private var before: Duration?

        init(share: Double, mechanism: Mechanism) {
            self.share = share
            self.mechanism = mechanism
        }

        func inject(on stage: FaultStage) async throws {
            let client = try stage.needed(stage.client, .client)
            guard let process = client.process else { throw InjectionError("the pool's process does not run") }
            before = try await client.roundTrip(within: .seconds(5)).took
            // Nothing would be taken away; prove says so.
            guard share > 0 else { return }
            if mechanism != .dutyCycle {
                do {
                    try await limit(process, stage)
                    return
                } catch {
                    whyNoGroup = "\(error)"
                    if mechanism == .cgroup { throw error }
                }
            }
            cycleEntry = try stage.journal.willChange(
                .continueProcess(pid: process.pid, startTicks: process.startTicks))
            cycle = DutyCycle(
                process, running: ClientCPU.left(of: share), stopped: ClientCPU.period - ClientCPU.left(of: share))
        }

        private func limit(_ process: ProcessIdentity, _ stage: FaultStage) async throws {
            let group = try ControlGroup.place(
                for: process.pid, controller: .cpu, name: "cpu-\(process.pid)-\(process.startTicks)")
            self.group = (group, try stage.journal.willChange(group.undo))
            do {
                try group.make()
                let quota = ClientCPU.left(of: share).nanoseconds / 1_000
                let period = ClientCPU.period.nanoseconds / 1_000
                if group.isVersion2 {
                    try group.set("\(quota) \(period)", "cpu.max")
                } else {
                    try group.set("\(period)", "cpu.cfs_period_us")
                    try group.set("\(quota)", "cpu.cfs_quota_us")
                }
                try group.take(process.pid)
            } catch {
                try await leave(stage)
                throw error
            }
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let client = stage.client else {
                return Landing(landed: false, evidence: ["reason": "there is no process of the pool"])
            }
            guard share > 0 else {
                return Landing(landed: false, evidence: ["reason": "a share of 0 % takes nothing away"])
            }
            var evidence: [JSONValue.Member] = [
                .init("via", .string(group == nil ? "duty-cycle" : "cgroup")),
                .init("round_trip_before_ms", JSONValue(before?.milliseconds)),
            ]
            if let whyNoGroup { evidence.append(.init("why_not_cgroup", .string(whyNoGroup))) }
            // A pause of the process that a question meets; several are asked, since some come between two.
            let wanted = (before ?? .zero) + (ClientCPU.period - ClientCPU.left(of: share)) / 4
            let giveUpAt = MonotonicInstant.now.advanced(by: Self.proofLimit)
            var longest = Duration.zero
            var throttled: Int64 = 0
            while MonotonicInstant.now < giveUpAt, !Task.isCancelled {
                let asked = MonotonicInstant.now
                _ = try? await client.roundTrip(within: .seconds(5))
                longest = max(longest, asked.duration(to: .now))
                throttled = group?.group.number("cpu.stat", "nr_throttled") ?? Int64(cycle?.stops ?? 0)
                if throttled > 0, longest >= wanted { break }
            }
            let landed = throttled > 0 && longest >= wanted
            evidence.append(.init("throttled_periods", .int(throttled)))
            evidence.append(.init("round_trip_during_ms", .double(longest.milliseconds)))
            if !landed { evidence.append(.init("reason", "it was not slowed down by what it should")) }
            return Landing(landed: landed, evidence: .object(evidence))
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            if let cycle {
                let undo = await cycle.stop()
                try await onOwnThread("continue", throwing: { () throws(UndoFailure) in try Undoer().perform(undo) })
                if let cycleEntry { try stage.journal.didUndo(cycleEntry) }
                self.cycle = nil
            }
            try await leave(stage)
            guard let client = stage.client, client.process != nil else { return ["process": "gone"] }
            let answer = try await client.roundTrip(within: .seconds(10))
            return ["round_trip_ms": .double(answer.took.milliseconds)]
        }

        private func leave(_ stage: FaultStage) async throws {
            guard let (group, entry) = group else { return }
            try await group.remove()
            try stage.journal.didUndo(entry)
            self.group = nil
        }
    }
}
