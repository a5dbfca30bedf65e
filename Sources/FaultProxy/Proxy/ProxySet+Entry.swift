import Glibc
import RigModel
import Threading

/// Lets one caller in at a time, for as long as it takes; the others sleep. For work that may wait, where a ``Lock`` must
/// not be held.
final class Turn: @unchecked Sendable {
    // @unchecked: the mutex is what makes it safe, and its address never changes.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    init() { pthread_mutex_init(mutex, nil) }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    func take<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }
}

/// One proxy of a set: its settings, its toxics, and the relay that does the work. Thread-safe.
///
/// Changes wait for each other in ``turn``; looking at it never waits for a change.
final class ProxyEntry: Sendable {
    struct State {
        var listen: String
        var upstream: String
        var isEnabled = false
        /// Deleted or replaced: whoever still waits for its turn finds nothing.
        var isGone = false
        var upstreamToxics: [ProxyToxic] = []
        var downstreamToxics: [ProxyToxic] = []
        var cuts: [ActiveCut] = []
        var nextToxicID = 0
        var relay: (any ProxyRelay)?
        /// What the relay was made for.
        var relayListen = ""
        var relayUpstream = ""
        /// Of the relays before.
        var past = RelayStatistics()

        var toxics: [ProxyToxic] { upstreamToxics + downstreamToxics }
    }

    let name: String
    let turn = Turn()
    let tally = ProxyTally()
    let state: Lock<State>
    private let makeRelay: ProxySet.MakeRelay
    private let log: ProxyLog

    init(_ definition: ProxyDefinition, makeRelay: @escaping ProxySet.MakeRelay, log: @escaping ProxyLog) {
        name = definition.name
        state = Lock(State(listen: definition.listen, upstream: definition.upstream))
        self.makeRelay = makeRelay
        self.log = log
    }

    var view: ProxyView {
        state.withLock {
            ProxyView(
                name: name, listen: $0.listen, upstream: $0.upstream, isEnabled: $0.isEnabled, toxics: $0.toxics,
                cuts: $0.cuts)
        }
    }

    /// Its relay's and those of the relays before, which served other addresses.
    var statistics: RelayStatistics {
        let (relay, past) = state.withLock { ($0.relay, $0.past) }
        return relay.map { past + $0.statistics } ?? past
    }

    var connections: [RelayedConnection] { state.withLock { $0.relay }?.connections() ?? [] }

    // What follows is called in the proxy's turn.

    /// Listens, if it does not yet.
    func start() throws(ProxySetError) {
        let state = self.state.withLock { $0 }
        guard !state.isEnabled else { return }
        do throws(ProxyError) {
            let relay = try relay(state)
            relay.setToxics(state.toxics.map(\.active))
            relay.setCuts(state.cuts)
            let bound = try relay.start()
            self.state.withLock {
                $0.listen = bound
                $0.isEnabled = true
            }
            say(.info, "proxy started")
        } catch {
            say(.error, "proxy not started", [.init("reason", .string("\(error)"))])
            throw .failed(error)
        }
    }

    /// The relay of before where it serves these addresses; its counters and numbers go on.
    private func relay(_ state: State) throws(ProxyError) -> any ProxyRelay {
        if let relay = state.relay, state.relayListen == state.listen, state.relayUpstream == state.upstream {
            return relay
        }
        let relay = try makeRelay(
            ProxyDefinition(
                name: name, listen: state.listen.isEmpty ? ":0" : state.listen, upstream: state.upstream), tally)
        self.state.withLock {
            if let old = $0.relay { $0.past = $0.past + old.statistics }
            $0.relay = relay
            $0.relayListen = state.listen
            $0.relayUpstream = state.upstream
        }
        return relay
    }

    /// Closes the listener and every connection. Returns when all is closed.
    func stop() {
        let (relay, wasEnabled) = state.withLock { state in
            defer { state.isEnabled = false }
            return (state.relay, state.isEnabled)
        }
        relay?.stop()
        if wasEnabled { say(.info, "proxy stopped") }
    }

    func say(_ level: LogLevel, _ message: String, _ fields: [JSONValue.Member] = []) {
        let view = view
        let address: [JSONValue.Member] = [
            .init("proxy", .string(name)), .init("listen", .string(view.listen)),
            .init("upstream", .string(view.upstream)),
        ]
        log(level, message, address + fields)
    }

    /// Changes the toxics, and tells the relay.
    func changeToxics<R>(_ change: (inout State) throws(ProxySetError) -> R) throws(ProxySetError) -> R {
        let (result, relay, toxics) = try state.withLock { (state) throws(ProxySetError) in
            (try change(&state), state.relay, state.toxics.map(\.active))
        }
        relay?.setToxics(toxics)
        return result
    }

    /// Changes the cut points, and tells the relay.
    func changeCuts<R>(_ change: (inout State) throws(ProxySetError) -> R) throws(ProxySetError) -> R {
        let (result, relay, cuts) = try state.withLock { (state) throws(ProxySetError) in
            (try change(&state), state.relay, state.cuts)
        }
        relay?.setCuts(cuts)
        return result
    }
}

extension RelayStatistics {
    /// Those of two relays together; what is open is the second one's.
    fileprivate static func + (past: RelayStatistics, now: RelayStatistics) -> RelayStatistics {
        var sum = now
        sum.accepted += past.accepted
        sum.refused += past.refused
        sum.reset += past.reset
        sum.descriptorShortages += past.descriptorShortages
        sum.upstreamReceived += past.upstreamReceived
        sum.upstreamSent += past.upstreamSent
        sum.downstreamReceived += past.downstreamReceived
        sum.downstreamSent += past.downstreamSent
        return sum
    }
}
