import Glibc
import Synchronization
import Threading

/// Moves bytes from one end of a pair to the other, through the toxic. Used by the relay's thread only.
///
/// FIN and RST of the source are passed on behind the last byte that it sent: at once when nothing is held, and after
/// the held chunks otherwise. What a RST finds in the kernel's send buffer, because the receiver's window is full, is
/// lost, as it is with a real server.
final class Mover {
    /// Reads per flow before others get their turn.
    private static let roundsPerTurn = 16

    private let scratch: UnsafeMutableRawBufferPointer
    private let bufferBytes: Int
    private let toxics: ToxicSwitch

    init(bufferBytes: Int, toxics: ToxicSwitch) {
        self.bufferBytes = bufferBytes
        self.toxics = toxics
        scratch = .allocate(byteCount: bufferBytes, alignment: 64)
    }

    deinit { scratch.deallocate() }

    /// - Parameter forwarded: counts the bytes that go on.
    /// - Returns: `true` when there is more to do at once: the turn was over, not the work.
    func move(
        _ flow: inout Flow, from source: inout Endpoint, to sink: inout Endpoint, forwarded: borrowing Atomic<Int>
    ) -> Bool {
        guard !flow.isFinished else { return false }
        for _ in 0..<Self.roundsPerTurn {
            flow.follow(toxics)
            forwardDue(&flow, to: &sink, forwarded: forwarded)
            if sink.isBroken {
                flow.held.removeAll()
                flow.isFinished = true
                return false
            }
            if flow.hasSourceEnded {
                if flow.held.isEmpty { finish(&flow, from: source, to: sink) }
                return false
            }
            guard source.isReadable, flow.held.byteCount < bufferBytes else { return false }
            read(&flow, from: &source, to: &sink, forwarded: forwarded)
        }
        return true
    }

    private func finish(_ flow: inout Flow, from source: Endpoint, to sink: Endpoint) {
        flow.isFinished = true
        if !source.isBroken { shutdown(sink.descriptor, Int32(SHUT_WR)) }
    }

    private func forwardDue(_ flow: inout Flow, to sink: inout Endpoint, forwarded: borrowing Atomic<Int>) {
        guard !flow.held.isEmpty else { return }
        let now = MonotonicInstant.now
        while sink.isWritable, !sink.isBroken, let chunk = flow.held.first, chunk.due <= now {
            // Before the bytes go out: whoever has received them can rely on the record.
            if let held = flow.held.letGoOfFirst() {
                toxics.recordHold(held.arrival.duration(to: .now), epoch: held.epoch)
            }
            let sent = chunk.bytes.withUnsafeBytes {
                send(UnsafeRawBufferPointer(rebasing: $0[chunk.sent...]), to: &sink, forwarded: forwarded)
            }
            guard sent > 0 else { return }
            flow.held.consume(sent)
        }
    }

    private func read(
        _ flow: inout Flow, from source: inout Endpoint, to sink: inout Endpoint, forwarded: borrowing Atomic<Int>
    ) {
        let room = min(scratch.count, bufferBytes - flow.held.byteCount)
        let count = recv(source.descriptor, scratch.baseAddress, room, 0)
        if count < 0, errno == EINTR { return }
        if count < 0, errno == EAGAIN, !source.isBroken {
            source.isReadable = false
            return
        }
        guard count > 0 else {
            // After SO_ERROR was read, the end of a reset connection looks like a FIN: `error` remembers.
            if count < 0, source.error == nil { source.error = errno }
            source.isReadable = false
            flow.hasSourceEnded = true
            return
        }
        let bytes = UnsafeRawBufferPointer(rebasing: scratch[..<count])
        if let hold = flow.hold(byteCount: count) {
            flow.held.append(bytes, arrival: hold.arrival, due: hold.due, epoch: hold.epoch)
            return
        }
        let sent = flow.held.isEmpty ? send(bytes, to: &sink, forwarded: forwarded) : 0
        if sent < count {
            // Due at once, so it waits only for the receiver and for what is in front of it.
            let now = MonotonicInstant.now
            flow.held.append(bytes[sent...], arrival: now, due: now, epoch: nil)
        }
    }

    /// - Returns: how many bytes the kernel took; 0 when the sink is full or broken, which is noted in it.
    private func send(
        _ bytes: UnsafeRawBufferPointer, to sink: inout Endpoint, forwarded: borrowing Atomic<Int>
    ) -> Int {
        guard sink.isWritable, !sink.isBroken else { return 0 }
        while true {
            let count = Glibc.send(sink.descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count >= 0 {
                forwarded.add(count, ordering: .relaxed)
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
}
