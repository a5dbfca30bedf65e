import Dispatch
import RigModel
import Threading

@testable import FaultProxy

/// Relays without sockets, and what they share: addresses that are taken, and what was done to each relay.
final class FakeNetwork: Sendable {
    private struct State {
        var taken: Set<String> = []
        var nextPort = 20_001
        var relays: [FakeRelay] = []
    }

    private let state = Lock(State())

    var relays: [FakeRelay] { state.withLock { $0.relays } }
    func relay(_ proxy: String) -> FakeRelay? { relays.last { $0.definition.name == proxy } }

    func makeSet() -> ProxySet {
        ProxySet(
            makeRelay: { definition, tally in
                let relay = FakeRelay(definition, self, tally)
                self.state.withLock { $0.relays.append(relay) }
                return relay
            },
            resolve: { listen throws(ProxyError) in try Self.canonical(listen) })
    }

    static func canonical(_ listen: String) throws(ProxyError) -> String {
        if listen.hasPrefix("unix:") { return String(listen.dropFirst(5)) }
        guard listen.contains(":") else { throw .badAddress(listen, reason: "missing port in address") }
        if listen.hasPrefix("localhost:") { return "127.0.0.1:" + listen.dropFirst(10) }
        return listen.hasPrefix(":") ? "[::]" + listen : listen
    }

    /// Somebody else listens there.
    func occupy(_ address: String) { state.withLock { _ = $0.taken.insert(address) } }

    func bind(_ listen: String) throws(ProxyError) -> String {
        var address = try Self.canonical(listen)
        return try state.withLock { (state) throws(ProxyError) in
            if address.hasSuffix(":0") {
                address = address.dropLast() + "\(state.nextPort)"
                state.nextPort += 1
            }
            guard state.taken.insert(address).inserted else {
                throw .listenFailed(address: address, reason: "Address already in use")
            }
            return address
        }
    }

    func free(_ address: String) { state.withLock { _ = $0.taken.remove(address) } }
}

final class FakeRelay: ProxyRelay {
    private struct State {
        var bound: String?
        var toxics: [ActiveToxic] = []
        var cuts: [ActiveCut] = []
        var stops = 0
        var statistics = RelayStatistics()
        var gate: (entered: DispatchSemaphore, leave: DispatchSemaphore)?
    }

    let definition: ProxyDefinition
    let tally: ProxyTally
    private let network: FakeNetwork
    private let state = Lock(State())

    init(_ definition: ProxyDefinition, _ network: FakeNetwork, _ tally: ProxyTally) {
        self.definition = definition
        self.network = network
        self.tally = tally
    }

    var isRunning: Bool { state.withLock { $0.bound != nil } }
    var stops: Int { state.withLock { $0.stops } }
    var toxics: [ActiveToxic] { state.withLock { $0.toxics } }
    var cuts: [ActiveCut] { state.withLock { $0.cuts } }

    func set(_ statistics: RelayStatistics) { state.withLock { $0.statistics = statistics } }

    /// From now on a stop signals the first semaphore and then waits for the second one.
    func holdStops(entered: DispatchSemaphore, leave: DispatchSemaphore) {
        state.withLock { $0.gate = (entered, leave) }
    }

    func start() throws(ProxyError) -> String {
        if let bound = state.withLock({ $0.bound }) { return bound }
        let bound = try network.bind(definition.listen)
        state.withLock { $0.bound = bound }
        return bound
    }

    func stop() {
        let (bound, gate) = state.withLock { state in
            state.stops += 1
            defer { state.bound = nil }
            return (state.bound, state.gate)
        }
        if let gate {
            gate.entered.signal()
            gate.leave.wait()
        }
        if let bound { network.free(bound) }
    }

    func setToxics(_ toxics: [ActiveToxic]) { state.withLock { $0.toxics = toxics } }
    func setCuts(_ cuts: [ActiveCut]) { state.withLock { $0.cuts = cuts } }
    var statistics: RelayStatistics { state.withLock { $0.statistics } }
    func connections() -> [RelayedConnection] { [] }
}
