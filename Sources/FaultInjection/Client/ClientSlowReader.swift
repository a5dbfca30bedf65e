import HostSystem
package import RigModel
import Threading

/// The client takes its results slowly: the server cannot get rid of them, and its sessions sit there with whatever they hold.
/// By the rig's relay, which reads from the server at a low rate; to the server that is a client that does. Needs large results
/// (`read-large`).
///
/// Landed: the server itself says, at every look for a while, that a session of the pool waits for its client (`ClientWrite`).
package struct ClientSlowReader: Fault {
    package static let shape = Shape(
        name: "client-slow-reader", summary: "results are taken so slowly that the server waits for its client (relay)",
        parameters: [
            Parameter(
                "rate", .dataRate, default: .dataRate(bytesPerSecond: 50_000),
                summary: "at which each connection's results are taken; 1KB/s or more")
        ], isLasting: true)

    private let bytesPerSecond: Double

    package init(_ parameters: Parameters) { bytesPerSecond = parameters.dataRate("rate") ?? 50_000 }

    package var needs: Set<StagePart> { [.link, .sessions, .statements] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "\(kilobytes) KB/s" }

    private var kilobytes: Int { max(1, Int(bytesPerSecond / 1000)) }

    package func disturbances(seed: UInt64) -> [Disturbance] { [.toxic("bandwidth@downstream:rate=\(kilobytes)KB/s")] }

    package func makeInjection(seed: UInt64) -> any Injection { SlowReader(disturbances(seed: seed)) }

    private actor SlowReader: Injection {
        private static let proofLimit = Duration.seconds(10)
        /// A large result makes a session wait for moments without any fault.
        private static let leastWait = Duration.milliseconds(400)

        private let wanted: [Disturbance]
        private var running: [Int] = []
        private var isHealed = false

        init(_ wanted: [Disturbance]) { self.wanted = wanted }

        func inject(on stage: FaultStage) async throws {
            let link = try stage.needed(stage.link, .link)
            guard link.hasRelay else { throw InjectionError("there is no relay between pool and server") }
            for disturbance in wanted { running.append(try await link.begin(disturbance)) }
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let sessions = stage.sessions, let statements = stage.statements else {
                return Landing(landed: false, evidence: ["reason": "this target has no server"])
            }
            let giveUpAt = MonotonicInstant.now.advanced(by: Self.proofLimit)
            var problem: String?
            var since: [String: MonotonicInstant] = [:]
            while !isHealed, !Task.isCancelled, MonotonicInstant.now < giveUpAt {
                do {
                    let pids = try await sessions.sessions().map { "\($0.pid)" }
                    let rows = try await statements.run(Self.question(pids), within: .seconds(2))
                    let now = MonotonicInstant.now
                    let waiting = Set(rows.compactMap { $0.first ?? nil })
                    since = since.filter { waiting.contains($0.key) }
                    for pid in waiting where since[pid] == nil { since[pid] = now }
                    if !isHealed, let longest = since.min(by: { $0.value < $1.value }),
                        longest.value.duration(to: now) >= Self.leastWait
                    {
                        return Landing(
                            landed: true,
                            evidence: [
                                "via": "relay", "wait_event": "ClientWrite", "sessions": JSONValue(rows.count),
                                "pid": .string(longest.key),
                                "waited_ms": .double(longest.value.duration(to: now).milliseconds),
                            ])
                    }
                } catch {
                    // Another fault may keep the server from answering for a moment.
                    problem = "\(error)"
                }
                try? await Task.sleep(for: .milliseconds(20))
            }
            return Landing(
                landed: false,
                evidence: [
                    "reason": .string(
                        "no session waited for its client for \(Self.leastWait.words); are the results large (mix: read-large)?"
                            + (problem.map { " The last look failed: \($0)" } ?? ""))
                ])
        }

        private static func question(_ pids: [String]) -> String {
            """
            SELECT pid::text FROM pg_stat_activity WHERE wait_event = 'ClientWrite' \
            AND pid IN (\((["0"] + pids).joined(separator: ", ")))
            """
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            isHealed = true
            guard let link = stage.link else { return [:] }
            var held = 0
            for id in running { held += await link.effect(of: id).heldChunks }
            for id in running { await link.end(id) }
            return ["delayed_chunks": JSONValue(held)]
        }
    }
}
