import CLinux
import Glibc
import Synchronization
import Threading

/// How bytes move, and how connections end.
extension RelayThread {
    /// Reads per flow before others get their turn.
    private static let roundsPerTurn = 16
    /// How long an orderly close waits for a peer that does not read.
    private static let closeLimit = Duration.seconds(5)

    /// Does what can be done for a connection now.
    func advance(_ link: RelayLink) {
        guard link.isOpen else { return }
        if link.dial != nil, !finishDial(link) { return }
        if let limit = link.closingBy, .now >= limit { return end(link, link.reason ?? .proxyStopped, isReset: true) }
        let wasBroken = link.client.isBroken
        let moreUpstream = move(link.upstream, of: link)
        let moreDownstream = link.isOpen && move(link.downstream, of: link)
        guard link.isOpen else { return }
        // Both have ended, and a toxic or a cut point has swallowed that: nobody can say anything any more.
        let isDeaf =
            link.upstream.hasSourceEnded && link.downstream.hasSourceEnded && link.upstream.isQuiet
            && link.downstream.isQuiet
        if link.isFinished || isDeaf {
            return end(link, link.reason ?? .finished(first: .upstream), isReset: false)
        }
        planWake(link.upstream, of: link)
        planWake(link.downstream, of: link)
        // The second move may have found out that its sink, which is the source of the first, is gone.
        if moreUpstream || moreDownstream || link.client.isBroken != wasBroken { enqueue(link) }
    }

    private func planWake(_ flow: Flow, of link: RelayLink) {
        guard let due = flow.wakeAt, due < flow.plannedWake ?? .distantFuture else { return }
        flow.plannedWake = due
        plan(token(of: link), at: due)
    }

    /// - Returns: `true` when there is more to do at once: the turn was over, not the work.
    private func move(_ flow: Flow, of link: RelayLink) -> Bool {
        guard !flow.isFinished else { return false }
        if !flow.isDirect { wake(flow, of: link) }
        for _ in 0..<Self.roundsPerTurn {
            guard link.isOpen else { return false }
            flush(flow, of: link)
            if flow.sink.isBroken { return lose(flow, of: link) }
            if flow.isEndQueued, flow.outbound.isEmpty { return finish(flow, of: link) }
            guard !flow.hasSourceEnded, !flow.isEndQueued, flow.source.isReadable,
                flow.outbound.count < link.relay.options.bufferBytes, flow.heldBytes < link.relay.options.heldBytes
            else { return false }
            read(flow, of: link)
        }
        return true
    }

    private func read(_ flow: Flow, of link: RelayLink) {
        let source = flow.source
        let count = recv(source.descriptor, scratch.baseAddress, scratch.count, 0)
        if count < 0, errno == EINTR { return }
        if count < 0, errno == EAGAIN, !source.isBroken {
            source.isReadable = source.hasPeerFinished
            return
        }
        guard count > 0 else {
            // After SO_ERROR was read, the end of a reset connection looks like a FIN: `error` remembers.
            if count < 0, source.error == nil { source.error = errno }
            source.isReadable = false
            return sourceEnded(flow, of: link)
        }
        // Less than it could: nothing is left, and what comes is told by a new event. A FIN has been told already.
        if count < scratch.count, !source.hasPeerFinished, !source.isBroken { source.isReadable = false }
        flow.received += count
        link.relay.counters.noteReceived(count, flow.stream)
        take(UnsafeRawBufferPointer(rebasing: scratch[..<count]), in: flow, of: link)
    }

    private func sourceEnded(_ flow: Flow, of link: RelayLink) {
        flow.hasSourceEnded = true
        if link.reason == nil {
            link.reason =
                flow.source.isBroken
                ? flow.stream == .upstream ? .clientReset : .serverReset : .finished(first: flow.stream)
        }
        let now = MonotonicInstant.now
        if link.inspector.hasCuts {
            wireEffects.removeAll(keepingCapacity: true)
            link.inspector.endOfStream(flow.stream, into: &wireEffects)
            carryOut(wireEffects, in: flow, of: link, now)
        }
        guard !flow.isBlackholed else { return }
        flow.isEndPaused = !flow.paused.isEmpty || flow.pausedUntil > now
        if !flow.isEndPaused { endChain(flow, of: link, now) }
    }

    private func endChain(_ flow: Flow, of link: RelayLink, _ now: MonotonicInstant) {
        stageEffects.removeAll(keepingCapacity: true)
        flow.chain.endOfStream(now: now, into: &stageEffects)
        carryOut(stageEffects, in: flow, of: link)
    }

    // MARK: The way of the bytes

    private func take(_ bytes: UnsafeRawBufferPointer, in flow: Flow, of link: RelayLink) {
        guard !flow.isBlackholed else { return }
        if flow.isDirect, !link.inspector.hasCuts {
            if link.relay.options.inspectsWire { link.inspector.observe(bytes, flow.stream) }
            link.lastBytesAt = .now
            return send(bytes, in: flow, of: link)
        }
        let now = MonotonicInstant.now
        link.lastBytesAt = now
        if link.inspector.hasCuts {
            wireEffects.removeAll(keepingCapacity: true)
            link.inspector.intercept(bytes, flow.stream, now: now, into: &wireEffects)
            if let phase = link.inspector.blindPhase { link.relay.noteBlindness(of: link.number, phase) }
            carryOut(wireEffects, in: flow, of: link, now)
        } else {
            if link.relay.options.inspectsWire { link.inspector.observe(bytes, flow.stream) }
            pass(Array(bytes), in: flow, of: link, now)
        }
    }

    /// Behind the cut points.
    private func pass(_ bytes: [UInt8], in flow: Flow, of link: RelayLink, _ now: MonotonicInstant) {
        if !flow.paused.isEmpty || flow.pausedUntil > now {
            flow.paused.append(bytes, arrival: now, due: flow.pausedUntil, epoch: nil)
        } else {
            enterChain(bytes, in: flow, of: link, now)
        }
    }

    private func enterChain(_ bytes: [UInt8], in flow: Flow, of link: RelayLink, _ now: MonotonicInstant) {
        if flow.chain.isEmpty { return bytes.withUnsafeBytes { send($0, in: flow, of: link) } }
        stageEffects.removeAll(keepingCapacity: true)
        flow.chain.receive(bytes, now: now, into: &stageEffects)
        carryOut(stageEffects, in: flow, of: link)
    }

    /// Time may have come for what is paused, and for the toxics.
    private func wake(_ flow: Flow, of link: RelayLink) {
        let now = MonotonicInstant.now
        if flow.pausedUntil <= now { flow.pausedUntil = MonotonicInstant(nanoseconds: 0) }
        while let chunk = flow.paused.first, chunk.due <= now {
            flow.paused.consume(chunk.bytes.count)
            enterChain(chunk.bytes, in: flow, of: link, now)
        }
        if flow.isEndPaused, flow.paused.isEmpty, flow.pausedUntil.nanoseconds == 0 {
            flow.isEndPaused = false
            endChain(flow, of: link, now)
        }
        guard let due = flow.chain.wakeAt, due <= now else { return }
        stageEffects.removeAll(keepingCapacity: true)
        flow.chain.wake(now: now, into: &stageEffects)
        carryOut(stageEffects, in: flow, of: link)
    }

    func carryOut(_ effects: [StageEffect], in flow: Flow, of link: RelayLink) {
        for effect in effects where link.isOpen {
            switch effect {
            case .pass(let chunk): chunk.bytes.withUnsafeBytes { send($0, in: flow, of: link) }
            case .swallow: break
            case .end: flow.isEndQueued = true
            // It is being closed already, and this was the way's end.
            case .close(.finish) where link.closingBy != nil: flow.isEndQueued = true
            case .close(let manner): cutOff(link, manner, .toxic(manner))
            }
        }
    }

    private func carryOut(_ effects: [WireEffect], in flow: Flow, of link: RelayLink, _ now: MonotonicInstant) {
        for effect in effects where link.isOpen && link.closingBy == nil {
            switch effect {
            case .pass(let bytes): if !flow.isBlackholed { pass(bytes, in: flow, of: link, now) }
            case .answer(let bytes): pass(bytes, in: link.downstream, of: link, now)
            case .delay(let duration):
                let end = now.advanced(by: duration)
                guard end > flow.pausedUntil else { continue }
                flow.pausedUntil = end
                flow.pausedBy = link.lastCut
            case .blackhole(let streams):
                for stream in streams { link.flow(stream).isBlackholed = true }
                link.blackholedBy = link.lastCut
            case .close(.reset): cutOff(link, .reset, .cut(.reset))
            case .close(.finish): drain(link, .cut(.finish), now)
            case .hit(let cut):
                link.lastCut = cut
                link.relay.tell(.cutHit(number: link.number, cut: cut, facts: link.inspector.facts))
            }
        }
    }

    // MARK: To the receiver

    private func send(_ bytes: UnsafeRawBufferPointer, in flow: Flow, of link: RelayLink) {
        let sent = flow.outbound.isEmpty ? write(bytes, in: flow, of: link) : 0
        if sent < bytes.count { flow.outbound.append(bytes[sent...]) }
    }

    private func flush(_ flow: Flow, of link: RelayLink) {
        while !flow.outbound.isEmpty {
            let sent = flow.outbound.withFront { write($0, in: flow, of: link) }
            guard sent > 0 else { return }
            flow.outbound.consume(sent)
        }
    }

    /// - Returns: how many bytes the kernel took; 0 when the sink is full or broken, which is noted in it.
    private func write(_ bytes: UnsafeRawBufferPointer, in flow: Flow, of link: RelayLink) -> Int {
        let sink = flow.sink
        guard sink.isWritable, !sink.isBroken else { return 0 }
        while true {
            let count = Glibc.send(sink.descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count >= 0 {
                flow.sent += count
                link.relay.counters.noteSent(count, flow.stream)
                return count
            }
            if errno == EINTR { continue }
            if errno == EAGAIN {
                sink.isWritable = false
            } else {
                sink.error = errno
                sink.isReadable = true  // What it had sent before is still to be read.
            }
            return 0
        }
    }

    // MARK: Ends

    private func finish(_ flow: Flow, of link: RelayLink) -> Bool {
        flow.isFinished = true
        if !flow.source.isBroken { shutdown(flow.sink.descriptor, Int32(SHUT_WR)) }
        return false
    }

    /// The receiver is gone: nothing of this flow can go on any more.
    private func lose(_ flow: Flow, of link: RelayLink) -> Bool {
        flow.outbound.removeAll()
        flow.dropHeld()
        flow.isFinished = true
        if link.reason == nil { link.reason = flow.stream == .upstream ? .serverReset : .clientReset }
        return false
    }

    func cutOff(_ link: RelayLink, _ manner: CloseManner, _ reason: RelayEvent.Reason) {
        link.reason = reason
        switch manner {
        case .reset:
            link.relay.counters.reset.add(1, ordering: .relaxed)
            end(link, reason, isReset: true)
        case .finish:
            guard link.closingBy == nil else { return }
            let limit = MonotonicInstant.now.advanced(by: Self.closeLimit)
            link.closingBy = limit
            link.upstream.dropHeld()
            link.downstream.dropHeld()
            plan(token(of: link), at: limit)
            enqueue(link)
        }
    }

    /// Reads nothing more, and closes when what has passed the cut points has gone on through pauses and toxics; what has
    /// not by the limit never will.
    private func drain(_ link: RelayLink, _ reason: RelayEvent.Reason, _ now: MonotonicInstant) {
        guard link.closingBy == nil else { return }
        link.reason = reason
        let limit = now.advanced(by: Self.closeLimit)
        link.closingBy = limit
        for flow in [link.upstream, link.downstream] where link.isOpen {
            let hadEnded = flow.hasSourceEnded
            flow.hasSourceEnded = true
            if flow.isBlackholed {
                flow.isEndQueued = true
            } else if !hadEnded {
                flow.isEndPaused = !flow.paused.isEmpty || flow.pausedUntil > now
                if !flow.isEndPaused { endChain(flow, of: link, now) }
            }
        }
        plan(token(of: link), at: limit)
        enqueue(link)
    }

    func end(_ link: RelayLink, _ reason: RelayEvent.Reason, isReset: Bool) {
        guard link.isOpen else { return }
        remove(link)
        link.closeSockets(isReset: isReset)
        link.relay.tell(
            .closed(
                number: link.number, reason: reason, bytesUpstream: link.upstream.sent,
                bytesDownstream: link.downstream.sent))
    }
}
