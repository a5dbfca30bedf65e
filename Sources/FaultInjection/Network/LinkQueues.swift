import HostSystem
import Threading

/// A queueing discipline of the kernel on both ends of the private link, so that it works in both directions. The devices are the
/// run's own, and nothing else passes there.
struct LinkQueues: Sendable {
    private let ends: [(device: String, network: NetworkNamespace?)]
    /// Its own, so that no other fault's queue is ever deleted.
    private let handle: String

    private static let handles = Lock(0xc4a1)

    /// - Parameter words: as `tc qdisc add … root` takes them: `netem delay 50000us`.
    /// - Throws: why it could not be done. Nothing is left then.
    static func install(_ words: [String], on stage: FaultStage) async throws -> LinkQueues {
        guard let place = stage.network, place.isPrivate else {
            throw InjectionError("devices get queues on a private stage only")
        }
        let queues = LinkQueues(
            ends: [(place.serverDevice, place.serverNetwork), (place.clientDevice, nil)], handle: newHandle())
        do {
            for end in queues.ends {
                try await stage.mustRun(
                    ["tc", "qdisc", "add", "dev", end.device, "root", "handle", queues.handle] + words, in: end.network)
            }
        } catch {
            try? await queues.remove(on: stage)
            throw error
        }
        return queues
    }

    private static func newHandle() -> String {
        handles.withLock { next in
            defer { next += 1 }
            return String(next & 0xffff, radix: 16) + ":"
        }
    }

    /// Idempotent; checks that nothing of it is left.
    func remove(on stage: FaultStage) async throws {
        for end in ends {
            // The kernel refuses where another one is at the root.
            _ = try? await stage.mustRun(
                ["tc", "qdisc", "del", "dev", end.device, "root", "handle", handle], in: end.network)
            let shown = try await stage.mustRun(["tc", "qdisc", "show", "dev", end.device], in: end.network)
            guard !shown.contains(" \(handle) ") else {
                throw InjectionError("\(end.device) still has the queue \(handle): \(shown.firstLine)")
            }
        }
    }

    /// The sum of a number that `tc -s` prints behind a word: `dropped 12,` or `overlimits 3 `.
    func count(_ word: String, on stage: FaultStage) async throws -> Int {
        var sum = 0
        for end in ends {
            sum += Self.count(
                word, in: try await stage.mustRun(["tc", "-s", "qdisc", "show", "dev", end.device], in: end.network))
        }
        return sum
    }

    /// Pure.
    static func count(_ word: String, in shown: String) -> Int {
        let words = shown.split { !$0.isLetter && !$0.isNumber }
        return zip(words, words.dropFirst()).reduce(0) { sum, pair in
            pair.0 == word ? sum + (Int(pair.1) ?? 0) : sum
        }
    }
}
