import Foundation
import RigModel
import RigTestSupport
import Testing

/// One kind of fault on the real thing: a short scenario in which it lands and is healed, and one in which it cannot land.
struct FaultCase: Sendable, CustomTestStringConvertible {
    let kind: String
    /// The entry of `faults:` in flow style: `{kill-connections: {}, at: 500ms}`.
    let lands: String
    /// The same kind so that it has no effect. The run must be inconclusive.
    let cannotLand: String
    /// Value of `target:`.
    var target = "{postgres: managed}"
    /// Further keys of `pool:`.
    var pool = ""
    var mix = "{append: 50, read: 30, transfer: 20}"
    var faultsPhase = "3s"
    /// Of the scenario in which it cannot land: what differs from above. `nil` where nothing does.
    var otherTarget: String?
    var otherPool: String?
    var otherMix: String?

    var testDescription: String { kind }

    /// A scenario with this fault, and invariants whose bounds hold on a busy machine.
    func scenario(_ fault: String, target: String, pool: String, mix: String? = nil) -> String {
        """
        name: case-\(kind)
        target: \(target)
        pool: {max-open: 4\(pool.isEmpty ? "" : ", \(pool)")}
        workload: {clients: 8, rate: 100/s, mix: \(mix ?? self.mix)}
        phases: {warm-up: 500ms, steady: 1s, faults: \(faultsPhase), settle: 3s}
        faults:
          - \(fault)
        invariants:
          zero-leaked-connections: {}
          retry-correctness: {}
          timeouts: {tolerance: 20s}

        """
    }

    static let all = connections + serverLife + server + statements + network + client + sqlite + pooler
}

/// So many rigs run at a time, each with a server of its own; the others wait.
actor FaultLanes {
    static let count = 5
    static let shared = FaultLanes()

    private var free = FaultLanes.count
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Waits until a lane is free, and takes it.
    func enter() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    func leave() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
