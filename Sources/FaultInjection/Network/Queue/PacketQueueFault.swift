import RigModel
import Threading

/// The pool's packets go through a program of the rig: the process, and the rules that lead there.
struct PacketQueueFault: Sendable {
    private let process: PacketQueueProcess
    private let filter: PacketFilter

    /// - Throws: why it could not be done. Nothing is left then.
    static func begin(_ plan: PacketFate.Plan, seed: UInt64, on stage: FaultStage) async throws -> PacketQueueFault {
        guard let place = stage.network else { throw InjectionError("the rig may not touch packets here") }
        let (queues, mark) = place.newQueues()
        let process = try await PacketQueueProcess.start(
            PacketQueueOrder(queues: queues, mark: mark, plan: plan, seed: seed, folder: place.folder),
            in: place.serverNetwork)
        let rules = zip(PacketRule.Direction.allCases, queues).map { direction, queue in
            PacketRule(direction: direction, which: .all, action: .queue(queue, mark: mark))
        }
        do {
            return PacketQueueFault(process: process, filter: try await PacketFilter.install(rules, on: stage))
        } catch {
            await process.stop()
            throw error
        }
    }

    /// The rules first: a queue without its program would be a black hole.
    func end(on stage: FaultStage) async throws {
        try await filter.remove(on: stage)
        await process.stop()
    }

    var counts: PacketCounts { process.counts ?? PacketCounts() }

    /// For the evidence; says so when the program has ended by itself.
    var facts: [JSONValue.Member] {
        let counts = counts
        var facts: [JSONValue.Member] = [.init("packets", JSONValue(counts.seen))]
        for (name, value) in [("delayed", counts.delayed), ("lost", counts.lost), ("overtaken", counts.overtaken)]
        where value > 0 { facts.append(.init(name, JSONValue(value))) }
        if !process.isRunning { facts.append(.init("program", "has ended")) }
        return facts
    }
}
