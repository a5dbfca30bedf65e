import CLinux
import Glibc
import Synchronization
import Threading

/// How connections begin.
extension RelayThread {
    static let linkEvents = clinux_EPOLLIN | clinux_EPOLLPRI | clinux_EPOLLOUT | clinux_EPOLLRDHUP | clinux_EPOLLET
    private static let pauseAfterFullQueue = Duration.milliseconds(5)

    /// - Parameter server: a connection to the server that is there already.
    func open(_ client: Int32, _ relay: RelayShared, server ready: Int32? = nil) {
        let now = MonotonicInstant.now
        let number = relay.counters.nextNumber.add(1, ordering: .relaxed).oldValue
        relay.counters.accepted.add(1, ordering: .relaxed)
        let address: SocketAddress
        switch relay.upstream.current {
        case .success(let known): address = known
        case .failure(let error):
            if let ready { close(ready) }
            relay.upstream.noteFailure()
            return refuse(client, number, relay, error.reason)
        }
        guard let server = ready ?? Sockets.make(address.family) else {
            DescriptorReserve.noteShortage()
            relay.noteDescriptorShortage()
            return refuse(client, number, relay, "no descriptor left")
        }
        DescriptorReserve.has(server)
        Sockets.sendAtOnce(client)
        if let time = relay.options.clientKeepalive { Sockets.keepAlive(client, time) }
        if ready == nil, address.family != AF_UNIX { Sockets.sendAtOnce(server) }
        // Before it is connected: the window is agreed upon then.
        if ready == nil, let bytes = relay.options.receiveBytes { Sockets.limitReceived(server, bytes) }
        let dial = RelayLink.Dial(deadline: now.advanced(by: relay.options.dialTimeout))
        let link = RelayLink(
            relay: relay, to: address, number: number, client: client, server: server, now: now,
            dial: ready == nil ? dial : nil)
        add(link)
        if relay.options.feed != nil {
            relay.tell(.opened(number: number, client: SocketAddress(of: client, getpeername)?.text ?? ""))
        }
        if let name = relay.toxicThatRefuses(number) { return refuse(link, .refusedByToxic(name)) }
        follow(link, now)
        guard link.isOpen else { return }
        guard watch(client, Self.linkEvents, token(of: link)) else {
            return refuse(link, .serverRefused(Sockets.message(errno)))
        }
        if ready != nil {
            guard watch(server, Self.linkEvents, token(of: link) | 1) else {
                return refuse(link, .serverRefused(Sockets.message(errno)))
            }
        } else {
            planDialCheck(at: dial.deadline)
            self.dial(link)
        }
    }

    /// Asks the server for a connection; ``finishDial(_:)`` sees how it ends.
    private func dial(_ link: RelayLink) {
        link.dial?.retry = nil
        let server = link.server.descriptor
        let error = link.serverAddress.withSockaddr { connect(server, $0, $1) == 0 ? 0 : errno } ?? EINVAL
        if error == EAGAIN {
            let retry = MonotonicInstant.now.advanced(by: Self.pauseAfterFullQueue)
            link.dial?.retry = retry
            return plan(token(of: link), at: retry)
        }
        guard [0, EINPROGRESS, EINTR].contains(error), watch(server, Self.linkEvents, token(of: link) | 1) else {
            return refuse(link, .serverRefused(Sockets.message(error == 0 ? errno : error)))
        }
    }

    /// - Returns: `false` while the server has not accepted, or when it has refused.
    func finishDial(_ link: RelayLink) -> Bool {
        if link.client.isBroken {  // It did not wait for the answer.
            end(link, .clientReset, isReset: false)
            return false
        }
        guard let dial = link.dial else { return true }
        let now = MonotonicInstant.now
        if now >= dial.deadline {
            refuse(link, .dialTimedOut)
        } else if let retry = dial.retry {
            if now >= retry { self.dial(link) }
        } else if let error = link.server.error {
            refuse(link, .serverRefused(Sockets.message(error)))
        } else if link.server.isWritable {
            let error = Sockets.takeError(link.server.descriptor)
            if error != 0 {
                refuse(link, .serverRefused(Sockets.message(error)))
            } else if Sockets.isConnectedToItself(link.server.descriptor, dialled: link.serverAddress) {
                refuse(link, .serverRefused("nobody listens there"))
            } else {
                link.dial = nil
                return true
            }
        }
        return false
    }

    /// For a client that there is no way to the server for.
    private func refuse(_ client: Int32, _ number: Int, _ relay: RelayShared, _ why: String) {
        relay.counters.refused.add(1, ordering: .relaxed)
        relay.tell(.opened(number: number, client: SocketAddress(of: client, getpeername)?.text ?? ""))
        clinux_reset_on_close(client)
        close(client)
        relay.tell(.closed(number: number, reason: .serverRefused(why), bytesUpstream: 0, bytesDownstream: 0))
    }

    /// Resets the client: the kernel has accepted it before the relay could ask the server.
    private func refuse(_ link: RelayLink, _ reason: RelayEvent.Reason) {
        link.relay.counters.refused.add(1, ordering: .relaxed)
        if case .refusedByToxic = reason {} else { link.relay.upstream.noteFailure() }
        end(link, reason, isReset: true)
    }

    /// Takes over the toxics and cut points that are set now.
    func follow(_ link: RelayLink, _ now: MonotonicInstant) {
        let relay = link.relay
        let cuts = relay.cuts
        link.inspector.setCuts(cuts)
        if let phase = link.inspector.blindPhase { relay.noteBlindness(of: link.number, phase) }
        if let name = link.blackholedBy, !cuts.contains(where: { $0.name.isName(name) }) {
            // What was swallowed is missing: nobody could understand what follows.
            return cutOff(link, .reset, .cut(.reset))
        }
        for flow in [link.upstream, link.downstream] {
            guard let name = flow.pausedBy, !cuts.contains(where: { $0.name.isName(name) }) else { continue }
            flow.resume()
        }
        let toxics = relay.toxics
        // Upstream first: toxics of both streams count their connections there.
        for flow in [link.upstream, link.downstream] where link.isOpen && link.closingBy == nil {
            stageEffects.removeAll(keepingCapacity: true)
            let context = ChainContext(
                seed: relay.options.seed, proxy: relay.options.name, connection: link.number, stream: flow.stream,
                hasReceived: flow.received > 0, lastBytesAt: link.lastBytesAt, now: now)
            flow.chain.follow(toxics, context, into: &stageEffects)
            carryOut(stageEffects, in: flow, of: link)
        }
    }
}
