import HostSystem
package import RigModel
import Threading

/// The process that holds the pool may open no more descriptors: something else in it leaks them. What is open stays open, but
/// no new connection comes about. Its sessions are ended once, so that the pool has to open new ones.
///
/// Landed: the kernel shows the limit, and the pool's connects fail, or its sessions do not come back.
package struct ClientDescriptors: Fault {
    package static let shape = Shape(
        name: "client-descriptors",
        summary: "the process that holds the pool has no descriptors left for new connections (RLIMIT_NOFILE)",
        parameters: [
            Parameter(
                "left", .count, default: .count(0),
                summary: "how many it may still open; each connection takes one or more")
        ], isLasting: true)

    private let left: Int

    package init(_ parameters: Parameters) { left = parameters.count("left") ?? 0 }

    package var needs: Set<StagePart> { [.client, .sessions] }
    package var claims: Set<Claim> { [.clientLimits] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "\(left) descriptors left" }
    package func makeInjection(seed: UInt64) -> any Injection { Shortage(left: left) }

    /// The limit is one of numbers, not of how many are open: the smallest that leaves so many free below it. Pure.
    static func limit(open numbers: Set<Int>, left: Int) -> Int {
        var free = 0
        var limit = 0
        while free < left || numbers.contains(limit) {
            if !numbers.contains(limit) { free += 1 }
            limit += 1
        }
        return limit
    }

    private actor Shortage: Injection {
        private static let proofLimit = Duration.seconds(5)

        private let left: Int
        private var process: ProcessIdentity?
        private var before: (soft: UInt64, hard: UInt64)?
        private var during: UInt64?
        private var failuresBefore: Int64?
        private var ended = 0

        init(left: Int) { self.left = left }

        // A limit of the process goes with it, so the process's own entry in the journal is the undo of this, too.
        func inject(on stage: FaultStage) async throws {
            let client = try stage.needed(stage.client, .client)
            guard let process = client.process else { throw InjectionError("the pool's process does not run") }
            self.process = process
            failuresBefore = try await client.roundTrip(within: .seconds(5)).connectFailures
            guard let names = SmallFile.names(in: "/proc/\(process.pid)/fd") else {
                throw InjectionError("the descriptors of process \(process.pid) cannot be listed")
            }
            // Sockets are the pool's connections: they end below, and give their numbers back.
            let kept = names.filter {
                SmallFile.linkTarget("/proc/\(process.pid)/fd/\($0)")?.hasPrefix("socket:") == false
            }
            let limits = try ProcessLimit.descriptors.value(of: process.pid)
            before = limits
            let wanted = UInt64(ClientDescriptors.limit(open: Set(kept.compactMap { Int($0) }), left: left))
            during = try ProcessLimit.descriptors.setSoft(min(wanted, limits.soft), of: process.pid)
            let sessions = try stage.needed(stage.sessions, .sessions)
            ended = try await sessions.terminate(try await sessions.sessions()).count
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let client = stage.client, let sessions = stage.sessions, let process, let during else {
                return Landing(landed: false, evidence: ["reason": "there is no process of the pool"])
            }
            var evidence: [JSONValue.Member] = [
                .init("limit", JSONValue(during)), .init("limit_before", JSONValue(before?.soft ?? 0)),
                .init("sessions_ended", JSONValue(ended)), .init("pid", JSONValue(process.pid)),
            ]
            let giveUpAt = MonotonicInstant.now.advanced(by: Self.proofLimit)
            while MonotonicInstant.now < giveUpAt, !Task.isCancelled {
                if let failuresBefore, let now = try? await client.roundTrip(within: .seconds(2)).connectFailures,
                    now > failuresBefore
                {
                    evidence.append(.init("connects_failed", .int(now - failuresBefore)))
                    return Landing(landed: true, evidence: .object(evidence))
                }
                try? await Task.sleep(for: .milliseconds(50))
            }
            let now = (try? await sessions.sessions().count) ?? 0
            evidence.append(.init("sessions_now", JSONValue(now)))
            evidence.append(.init("reason", "no connect of the pool failed"))
            // A pool that does not tell of its connects shows it by what it has not got back.
            return Landing(landed: failuresBefore == nil && now < ended, evidence: .object(evidence))
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            guard let process, let before, during != nil else { return ["nothing_to_undo": true] }
            during = nil
            guard process.isAlive else { return ["process": "gone"] }
            let now = try ProcessLimit.descriptors.setSoft(before.soft, of: process.pid)
            guard now == before.soft else {
                throw InjectionError("the limit is \(now) and not \(before.soft) as before")
            }
            return ["limit": JSONValue(now)]
        }
    }
}
