import HostSystem
import Threading

/// The `tc` commands that delay one TCP port on loopback. Pure.
///
/// A prio qdisc with a netem on its third band, and two u32 filters that put the port's packets there; everything else on
/// the device keeps the first two bands and is not delayed. Deleting the root qdisc undoes all of it.
struct TrafficControl {
    static let device = "lo"
    /// A handle that nobody has by accident, so that only our own qdisc is ever deleted.
    static let handle = "c4a0:"

    let port: UInt16
    let latency: Duration
    let jitter: Duration

    /// In order. The first one makes the qdisc that the undo deletes.
    var install: [[String]] {
        let tc = ["tc"]
        // All priorities go to the first two bands; the third is reached by filter only.
        let bands = ["priomap"] + [1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1].map { "\($0)" }
        var delay = ["\(latency.nanoseconds / 1_000)us"]
        if jitter > .zero { delay.append("\(jitter.nanoseconds / 1_000)us") }
        let filters = ["sport", "dport"].map { side in
            tc + ["filter", "add", "dev", Self.device, "parent", Self.handle, "protocol", "ip", "prio", "1", "u32"]
                + ["match", "ip", side, "\(port)", "0xffff", "flowid", "\(Self.handle)3"]
        }
        return [
            tc + ["qdisc", "add", "dev", Self.device, "root", "handle", Self.handle, "prio", "bands", "3"] + bands,
            tc + ["qdisc", "add", "dev", Self.device, "parent", "\(Self.handle)3", "netem", "delay"] + delay,
        ] + filters
    }

    static let undo = Undo.removeQdisc(device: device, handle: handle)
    static let remove = ["tc", "qdisc", "del", "dev", device, "root", "handle", handle]
    static let show = ["tc", "qdisc", "show", "dev", device]
    /// A netem in a throw-away network namespace: does this kernel have it, and may we?
    static let probe = ["unshare", "-n", "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"]

    /// Loopback has only its default qdisc, so ours takes nobody's place.
    static func isUntouched(_ shown: String) -> Bool {
        let lines = shown.split(separator: "\n")
        return lines.allSatisfy { $0.contains("noqueue") }
    }
}
