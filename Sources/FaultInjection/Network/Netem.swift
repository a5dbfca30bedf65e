import HostSystem
import Threading

/// A netem qdisc on loopback that delays the server's port, installed and removed by `tc`.
struct Netem: Sendable {
    private static let limit = Duration.seconds(5)
    private let journalEntry: Int

    /// Probes first, in a network namespace of its own, whether this kernel and user can do it at all.
    ///
    /// - Throws: why not. Nothing is left behind then.
    static func install(latency: Duration, jitter: Duration, on stage: FaultStage) async throws -> Netem {
        guard let programs = stage.programs else { throw InjectionError("programs cannot be run here") }
        guard let port = stage.network?.port ?? stage.link?.loopbackServerPort else {
            throw InjectionError("netem is used on loopback only; the server is elsewhere")
        }
        let probe = try await programs.run(TrafficControl.probe, within: limit)
        guard probe.exitCode == 0 else { throw InjectionError("no netem here: \(probe.output.firstLine)") }
        let shown = try await programs.run(TrafficControl.show, within: limit)
        guard shown.exitCode == 0, TrafficControl.isUntouched(shown.output) else {
            throw InjectionError("\(TrafficControl.device) has a qdisc of somebody else: \(shown.output.firstLine)")
        }
        let netem = Netem(journalEntry: try stage.journal.willChange(TrafficControl.undo))
        do {
            for command in TrafficControl(port: port, latency: latency, jitter: jitter).install {
                let result = try await programs.run(command, within: limit)
                guard result.exitCode == 0 else {
                    throw InjectionError("\(command.joined(separator: " ")): \(result.output.firstLine)")
                }
            }
        } catch {
            try? await netem.remove(on: stage)
            throw error
        }
        return netem
    }

    /// Idempotent.
    func remove(on stage: FaultStage) async throws {
        guard let programs = stage.programs else { return }
        _ = try await programs.run(TrafficControl.remove, within: Self.limit)
        let shown = try await programs.run(TrafficControl.show, within: Self.limit)
        guard !shown.output.contains(TrafficControl.handle) else {
            throw InjectionError("the qdisc is still there; remove it: \(TrafficControl.remove.joined(separator: " "))")
        }
        try stage.journal.didUndo(journalEntry)
    }
}
