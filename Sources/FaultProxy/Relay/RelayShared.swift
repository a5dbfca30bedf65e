import Glibc
import RigModel
import Synchronization
import Threading

/// What the threads of a relay and its owner share. Thread-safe.
final class RelayShared: Sendable {
    struct Settings: Sendable {
        var toxics: [ActiveToxic] = []
        var cuts: [ActiveCut] = []
    }

    let options: Relay.Options
    let upstream: Upstream
    let counters = RelayCounters()
    private let settings = Lock(Settings())
    /// What was told since the cut points were set.
    private let hasToldEncrypted = Atomic<Bool>(false)
    private let hasToldUnknown = Atomic<Bool>(false)

    init(options: Relay.Options, upstream: Upstream) {
        self.options = options
        self.upstream = upstream
    }

    var toxics: [ActiveToxic] { settings.withLock { $0.toxics } }
    var cuts: [ActiveCut] { settings.withLock { $0.cuts } }

    func change(_ body: (inout Settings) -> Void) { settings.withLock { body(&$0) } }

    func tell(_ event: RelayEvent) { options.feed?(event) }

    /// Tells that cut points see nothing of a connection, once for each reason.
    func noteBlindness(of number: Int, _ phase: WireFacts.Phase) {
        let isTold =
            phase == .encrypted
            ? Self.hadBeenSet(hasToldEncrypted) : Self.hadBeenSet(hasToldUnknown)
        if isTold { return }
        tell(.cutsAreBlind(number: number, phase: phase))
    }

    /// A load where it is set: asked for every piece of such a connection.
    private static func hadBeenSet(_ flag: borrowing Atomic<Bool>) -> Bool {
        flag.load(ordering: .relaxed) || flag.exchange(true, ordering: .relaxed)
    }

    /// There are new cut points: what they cannot see is told again.
    func forgetBlindness() {
        hasToldEncrypted.store(false, ordering: .relaxed)
        hasToldUnknown.store(false, ordering: .relaxed)
    }

    func noteDescriptorShortage() {
        counters.descriptorShortages.add(1, ordering: .relaxed)
        tell(.descriptorShortage)
    }
}

/// Counters that the threads of a relay write and any thread reads.
final class RelayCounters: Sendable {
    let nextNumber = Atomic<Int>(0)
    let open = Atomic<Int>(0)
    let accepted = Atomic<Int>(0)
    let refused = Atomic<Int>(0)
    let reset = Atomic<Int>(0)
    let descriptorShortages = Atomic<Int>(0)
    let upstreamReceived = Atomic<Int>(0)
    let upstreamSent = Atomic<Int>(0)
    let downstreamReceived = Atomic<Int>(0)
    let downstreamSent = Atomic<Int>(0)

    func noteReceived(_ count: Int, _ stream: ProxyStream) {
        if stream == .upstream {
            upstreamReceived.add(count, ordering: .relaxed)
        } else {
            downstreamReceived.add(count, ordering: .relaxed)
        }
    }

    func noteSent(_ count: Int, _ stream: ProxyStream) {
        if stream == .upstream {
            upstreamSent.add(count, ordering: .relaxed)
        } else {
            downstreamSent.add(count, ordering: .relaxed)
        }
    }
}
