import HostSystem
package import RigModel
import Threading

/// The process that holds the pool may use only so much more memory than it has; when it wants more the kernel kills it, as in a
/// container with too small a limit. By a control group (root). A process that was killed is started again.
///
/// Landed: the kernel has killed the process for want of memory.
package struct ClientMemory: Fault {
    package static let shape = Shape(
        name: "client-memory",
        summary:
            "the process that holds the pool is killed when it wants more than a little more memory (control group)",
        parameters: [
            Parameter(
                "megabytes", .count, default: .count(8), summary: "how much more it may use than at the beginning")
        ], isLasting: true)

    private let megabytes: Int

    package init(_ parameters: Parameters) { megabytes = parameters.count("megabytes") ?? 8 }

    package var needs: Set<StagePart> { [.client] }
    package var capabilities: [Set<Capability>] { [[.memoryLimit]] }
    package var claims: Set<Claim> { [.clientLimits, .clientLife] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "\(megabytes) MB more at the most" }
    package func makeInjection(seed: UInt64) -> any Injection { Shortage(bytes: megabytes << 20) }

    private actor Shortage: Injection {
        private static let proofLimit = Duration.seconds(30)
        private static let endLimit = Duration.seconds(10)

        private let bytes: Int
        private var process: ProcessIdentity?
        private var group: (group: ControlGroup, entry: Int)?

        init(bytes: Int) { self.bytes = bytes }

        /// What the process uses already stays charged where it is: the group's limit is what it may use beyond that.
        func inject(on stage: FaultStage) async throws {
            let client = try stage.needed(stage.client, .client)
            guard let process = client.process else { throw InjectionError("the pool's process does not run") }
            self.process = process
            let group = try ControlGroup.place(
                for: process.pid, controller: .memory, name: "memory-\(process.pid)-\(process.startTicks)")
            self.group = (group, try stage.journal.willChange(group.undo))
            try group.make()
            try group.set("\(bytes)", group.isVersion2 ? "memory.max" : "memory.limit_in_bytes")
            // It may die of it at any moment from now on.
            client.expectEnd(true)
            try group.take(process.pid)
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let process, let group = group?.group else {
                return Landing(landed: false, evidence: ["reason": "there is no process of the pool"])
            }
            var evidence: [JSONValue.Member] = [
                .init("via", "cgroup"), .init("pid", JSONValue(process.pid)), .init("bytes", JSONValue(bytes)),
            ]
            let giveUpAt = MonotonicInstant.now.advanced(by: Self.proofLimit)
            while MonotonicInstant.now < giveUpAt, !Task.isCancelled {
                let killed = Self.killed(in: group)
                if killed > 0 {
                    evidence.append(.init("killed", .int(killed)))
                    return Landing(landed: true, evidence: .object(evidence))
                }
                try? await Task.sleep(for: .milliseconds(50))
            }
            evidence.append(
                .init(
                    "reason",
                    process.isAlive
                        ? "it did not want more memory than it may have"
                        : "the process has ended, and not because of its memory"))
            return Landing(landed: false, evidence: .object(evidence))
        }

        /// How many processes of the group the kernel has killed for want of memory. A group also comes to its limit and finds
        /// memory that it can give back: that is no effect.
        private static func killed(in group: ControlGroup) -> Int64 {
            group.number(group.isVersion2 ? "memory.events" : "memory.oom_control", "oom_kill") ?? 0
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            guard let (group, entry) = group else { return ["nothing_to_undo": true] }
            let client = try stage.needed(stage.client, .client)
            let killed = Self.killed(in: group)
            var facts = [JSONValue.Member("killed", .int(killed))]
            // The kernel has decided, and it will be gone in a moment.
            if killed > 0 { _ = await client.waitUntilEnded(within: Self.endLimit) }
            try await group.remove()
            try stage.journal.didUndo(entry)
            self.group = nil
            if client.process == nil {
                try await client.start()
                facts.append(.init("started_again", .bool(true)))
            }
            client.expectEnd(false)
            facts.append(.init("pid", JSONValue(client.process.map { Int($0.pid) })))
            return .object(facts)
        }
    }
}
