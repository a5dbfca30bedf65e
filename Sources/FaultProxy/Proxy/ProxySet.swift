import Threading

/// The proxies of a control API, with Toxiproxy 2.12's semantics. Thread-safe.
///
/// Each proxy has a turn of its own for what may take time (binding, closing, name look-ups), so a slow one never stops the
/// others; looking waits for nothing.
package final class ProxySet: Sendable {
    /// Makes the relay of a proxy; may ask the resolver. What the relay tells goes to the tally, and wherever else.
    package typealias MakeRelay =
        @Sendable (_ proxy: ProxyDefinition, _ tally: ProxyTally) throws(ProxyError) -> any ProxyRelay
    /// The address that listening on a text would give, port 0 left as it is; may ask the resolver.
    package typealias Resolve = @Sendable (_ listen: String) throws(ProxyError) -> String

    /// A name that is taken, listed once its proxy has been started: a failed start leaves nothing behind.
    private struct Slot {
        var entry: ProxyEntry
        var isListed: Bool
    }

    private let makeRelay: MakeRelay
    let resolve: Resolve
    private let log: ProxyLog
    private let slots = Lock<[ProxyName: Slot]>([:])

    package init(
        makeRelay: @escaping MakeRelay, resolve: @escaping Resolve = ProxySet.resolveListenAddress,
        log: @escaping ProxyLog = { _, _, _ in }
    ) {
        self.makeRelay = makeRelay
        self.resolve = resolve
        self.log = log
    }

    // MARK: Looking

    /// Every proxy, in the order of their names' bytes.
    package var proxies: [ProxyView] { entries.map(\.view) }

    /// How many there are, those included that are just being added. O(1).
    var count: Int { slots.withLock { $0.count } }

    package func proxy(_ name: String) throws(ProxySetError) -> ProxyView { try entry(name).view }

    package func statistics(of name: String) throws(ProxySetError) -> RelayStatistics { try entry(name).statistics }

    package func connections(of name: String) throws(ProxySetError) -> [RelayedConnection] {
        try entry(name).connections
    }

    /// Connections that have ended, by reason.
    package func closed(of name: String) throws(ProxySetError) -> [(reason: String, count: Int)] {
        try entry(name).tally.closed
    }

    var entries: [ProxyEntry] {
        slots.withLock { $0.values.filter(\.isListed).map(\.entry) }
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    func entry(_ name: String) throws(ProxySetError) -> ProxyEntry {
        guard let slot = slots.withLock({ $0[ProxyName(name)] }), slot.isListed else { throw .proxyNotFound }
        return slot.entry
    }

    /// Runs a change in the proxy's turn. When that has been replaced by the time its turn comes, in the turn of the new one.
    func change<R>(
        _ name: String, _ body: (ProxyEntry) throws(ProxySetError) -> R
    ) throws(ProxySetError) -> R {
        while true {
            let entry = try entry(name)
            let result = try entry.turn.take { () throws(ProxySetError) -> R? in
                guard !entry.state.withLock({ $0.isGone }) else { return nil }
                return try body(entry)
            }
            // Gone: every turn of the loop is one that somebody else has finished.
            if let result { return result }
        }
    }

    // MARK: Changing

    /// Adds a proxy, and starts it if it is enabled. The name is tested first; a failed start leaves nothing behind.
    @discardableResult
    package func create(_ definition: ProxyDefinition) throws(ProxySetError) -> ProxyView {
        guard !definition.name.isEmpty else { throw .missingField("name") }
        guard !definition.upstream.isEmpty else { throw .missingField("upstream") }
        try Self.checkUpstream(definition.upstream)
        let entry = ProxyEntry(definition, makeRelay: makeRelay, log: log)
        // In its turn from before it can be found, for those who wait for what becomes of it.
        return try entry.turn.take { () throws(ProxySetError) in
            try slots.withLock { (slots) throws(ProxySetError) in
                guard slots[ProxyName(definition.name)] == nil else { throw .proxyExists }
                slots[ProxyName(definition.name)] = Slot(entry: entry, isListed: false)
            }
            do throws(ProxySetError) {
                if definition.isEnabled { try entry.start() }
            } catch {
                slots.withLock { $0[ProxyName(definition.name)] = nil }
                throw error
            }
            slots.withLock { $0[ProxyName(definition.name)]?.isListed = true }
            return entry.view
        }
    }

    /// Another listen address or upstream stops the proxy, which closes its connections, and starts it again if it is to be
    /// enabled; toxics and cut points stay. Where the start fails the proxy stays, not enabled.
    @discardableResult
    package func update(_ name: String, _ change: ProxyChange) throws(ProxySetError) -> ProxyView {
        try self.change(name) { (entry) throws(ProxySetError) in
            let old = entry.view
            let listen = change.listen ?? old.listen
            let upstream = change.upstream ?? old.upstream
            let wantsEnabled = change.isEnabled ?? old.isEnabled
            // Before anything is stopped: a mistake in the request costs no connection.
            if let upstream = change.upstream { try Self.checkUpstream(upstream) }
            if try differs(listen, from: old.listen) || upstream != old.upstream {
                entry.stop()
                entry.state.withLock {
                    $0.listen = listen
                    $0.upstream = upstream
                }
            }
            if wantsEnabled { try entry.start() } else { entry.stop() }
            return entry.view
        }
    }

    /// Stops the proxy, then forgets it.
    package func delete(_ name: String) throws(ProxySetError) {
        try change(name) { (entry) throws(ProxySetError) in
            entry.stop()
            entry.state.withLock { $0.isGone = true }
            slots.withLock { $0[ProxyName(name)] = nil }
        }
    }

    /// Adds the proxies one by one. One that exists with the same addresses is kept as it is, also when it is disabled;
    /// one with other addresses is stopped and replaced, and its toxics are lost. Others stay. Everything is checked before
    /// anything is touched.
    ///
    /// - Returns: those that were added or kept up to the first failure, and that failure.
    package func populate(_ definitions: [ProxyDefinition]) -> (proxies: [ProxyView], error: ProxySetError?) {
        for (position, definition) in definitions.enumerated() {
            if definition.name.isEmpty { return ([], .missingField("name at proxy \(position + 1)")) }
            if definition.upstream.isEmpty { return ([], .missingField("upstream at proxy \(position + 1)")) }
            do throws(ProxySetError) {
                try Self.checkUpstream(definition.upstream, " at proxy \(position + 1)")
            } catch {
                return ([], error)
            }
        }
        var done: [ProxyView] = []
        for definition in definitions {
            do throws(ProxySetError) { done.append(try addOrReplace(definition)) } catch { return (done, error) }
        }
        return (done, nil)
    }

    private func addOrReplace(_ definition: ProxyDefinition) throws(ProxySetError) -> ProxyView {
        while true {
            do throws(ProxySetError) { return try replace(definition) } catch {
                guard error == .proxyNotFound else { throw error }
            }
            do throws(ProxySetError) { return try create(definition) } catch {
                guard error == .proxyExists else { throw error }
            }
            // Somebody else adds it just now: once that is done it is there to be compared with, or it is free.
            slots.withLock { $0[ProxyName(definition.name)] }?.entry.turn.take {}
        }
    }

    private func replace(_ definition: ProxyDefinition) throws(ProxySetError) -> ProxyView {
        try change(definition.name) { (old) throws(ProxySetError) in
            let view = old.view
            let isSame = try !differs(definition.listen, from: view.listen) && definition.upstream == view.upstream
            if isSame { return view }
            old.stop()
            let entry = ProxyEntry(definition, makeRelay: makeRelay, log: log)
            if definition.isEnabled { try entry.start() }
            old.state.withLock { $0.isGone = true }
            slots.withLock { $0[ProxyName(definition.name)] = Slot(entry: entry, isListed: true) }
            return entry.view
        }
    }

    /// Starts every proxy that is disabled and removes all toxics and cut points. Stops at the first that cannot start.
    package func reset() throws(ProxySetError) {
        for name in entries.map(\.name) {
            do throws(ProxySetError) {
                try change(name) { (entry) throws(ProxySetError) in
                    try entry.start()
                    try entry.changeToxics { (state) throws(ProxySetError) in
                        state.upstreamToxics = []
                        state.downstreamToxics = []
                    }
                    try entry.changeCuts { (state) throws(ProxySetError) in state.cuts = [] }
                }
            } catch {
                // Deleted in the meantime.
                guard error == .proxyNotFound else { throw error }
            }
        }
    }

    /// Stops every proxy. They stay in the set.
    package func stopAll() { for entry in entries { entry.turn.take { entry.stop() } } }
}
