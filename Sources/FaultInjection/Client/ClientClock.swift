import Glibc
import HostSystem
package import RigModel
import Threading

/// The wall clock of the process that holds the pool jumps, and jumps back at the end: a virtual machine that was restored, a
/// time server that corrects. Only for that process (`libfaketime`); its monotonic clock stays.
///
/// Landed: the process itself tells a time that is off by as much.
package struct ClientClock: Fault {
    package static let shape = Shape(
        name: "client-clock", summary: "the wall clock of the process that holds the pool jumps (libfaketime)",
        parameters: [
            Parameter("by", .duration, default: .duration(.seconds(300)), summary: "how far"),
            Parameter(
                "direction", .choice(["forward", "back"]), default: .choice("forward"),
                summary: "into the future or the past"),
        ], isLasting: true)

    private let offset: Duration

    package init(_ parameters: Parameters) {
        let by = parameters.duration("by") ?? .seconds(300)
        offset = parameters.choice("direction") == "back" ? .zero - by : by
    }

    package var needs: Set<StagePart> { [.client] }
    package var capabilities: [Set<Capability>] { [[.fakeTime]] }
    package var claims: Set<Claim> { [.clientClock] }
    package var ownDuration: Duration? { nil }
    package var detail: String {
        offset < .zero ? "\((.zero - offset).words) back" : "\(offset.words) forward"
    }
    package func makeInjection(seed: UInt64) -> any Injection { Jump(offset: offset) }

    private actor Jump: Injection {
        /// The answer takes its time, and so does the next look at the file.
        private static let tolerance = 2.0
        private static let proofLimit = Duration.seconds(5)

        private let offset: Duration
        private var didJump = false

        init(offset: Duration) { self.offset = offset }

        // The file lies in the run's own folder, which the journal knows, and the process goes with the run.
        func inject(on stage: FaultStage) async throws {
            let client = try stage.needed(stage.client, .client)
            guard client.process != nil else { throw InjectionError("the pool's process does not run") }
            try client.shiftClock(by: offset)
            didJump = true
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let client = stage.client else {
                return Landing(landed: false, evidence: ["reason": "there is no process of the pool"])
            }
            guard offset != .zero else {
                return Landing(landed: false, evidence: ["reason": "a jump by 0 s changes nothing"])
            }
            let seen = await Self.waitForOffset(offset.seconds, client)
            var evidence: [JSONValue.Member] = [
                .init("wanted_s", .double(offset.seconds)), .init("process_is_off_by_s", JSONValue(seen)),
            ]
            let landed = seen.map { abs($0 - offset.seconds) < Self.tolerance } ?? false
            if !landed { evidence.append(.init("reason", "the process tells another time, or none")) }
            return Landing(landed: landed, evidence: .object(evidence))
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            guard didJump else { return ["nothing_to_undo": true] }
            let client = try stage.needed(stage.client, .client)
            try client.shiftClock(by: .zero)
            didJump = false
            guard client.process != nil else { return ["process": "gone"] }
            let seen = await Self.waitForOffset(0, client)
            guard let seen, abs(seen) < Self.tolerance else {
                throw InjectionError(
                    "the process's clock is still off by \(seen.map { "\($0) s" } ?? "an unknown time")")
            }
            return ["process_is_off_by_s": .double(seen)]
        }

        /// - Returns: by how many seconds the process was off when it was asked last; `nil` when it did not say.
        private static func waitForOffset(_ wanted: Double, _ client: any ClientControl) async -> Double? {
            let giveUpAt = MonotonicInstant.now.advanced(by: proofLimit)
            var seen: Double?
            while true {
                if let answer = try? await client.roundTrip(within: .seconds(2)), let clock = answer.wallClock {
                    seen = clock - Self.ownClock
                    if abs((seen ?? .infinity) - wanted) < tolerance { return seen }
                }
                if MonotonicInstant.now >= giveUpAt || Task.isCancelled { return seen }
                try? await Task.sleep(for: .milliseconds(20))
            }
        }

        private static var ownClock: Double {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
    }
}
