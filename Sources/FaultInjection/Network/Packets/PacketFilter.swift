import Glibc
import HostSystem
import Threading

/// Packet rules that are in force: a chain of the run's own.
struct PacketFilter: Sendable {
    private let chain: PacketChain
    private let network: NetworkNamespace?
    /// `nil` on a private stage, which goes with its processes, and is in the journal as a whole.
    private let shared: Shared?

    /// Rules among those of a machine.
    private struct Shared: Sendable {
        let undo: Undo
        let journalEntry: Int
    }

    /// - Throws: why it could not be done. Nothing is left behind then.
    static func install(_ rules: [PacketRule], on stage: FaultStage) async throws -> PacketFilter {
        guard let place = stage.network else { throw InjectionError("the rig may not touch packets here") }
        let chain = PacketChain(
            name: place.newChain(), device: place.serverDevice, port: place.port, rules: rules)
        let shared = place.isPrivate ? nil : try await announce(chain, on: stage)
        let filter = PacketFilter(chain: chain, network: place.serverNetwork, shared: shared)
        do {
            for command in chain.install { try await stage.mustRun(command, in: filter.network) }
        } catch {
            try? await filter.remove(on: stage)
            throw error
        }
        return filter
    }

    private static func announce(_ chain: PacketChain, on stage: FaultStage) async throws -> Shared {
        let before = try await stage.mustRun(["iptables-save"], in: nil)
        let undo = Undo.removePacketRules(
            chain: chain.name, isTableNew: PacketChain.isTableOfRigs(before),
            network: ProcessTable.network(of: getpid()))
        return Shared(undo: undo, journalEntry: try stage.journal.willChange(undo))
    }

    /// How many packets the rules took so far.
    func matched(on stage: FaultStage) async throws -> Int {
        chain.packets(try await stage.mustRun(chain.list, in: network))
    }

    /// Idempotent; checks that nothing of it is left.
    func remove(on stage: FaultStage) async throws {
        guard let programs = stage.programs else { return }
        for command in chain.remove { _ = try await programs.run(command, in: network, within: .seconds(10)) }
        let left = try await stage.mustRun(PacketChain.listAll, in: network)
        guard !PacketChain.names(chain.name, in: left) else {
            throw InjectionError(
                "rules of the chain \(chain.name) are still there; remove them: "
                    + chain.remove.map { $0.joined(separator: " ") }.joined(separator: "; "))
        }
        guard let shared else { return }
        // What the first rule of a machine brought about, too.
        try await onOwnThread(
            "undo rules", throwing: { () throws(UndoFailure) in try Undoer().perform(shared.undo) })
        try stage.journal.didUndo(shared.journalEntry)
    }
}
