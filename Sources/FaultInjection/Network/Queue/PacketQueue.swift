import CNetfilterQueue
import Glibc
import HostSystem
import Threading

/// The kernel's queues of packets that wait for the rig's verdict (NFQUEUE), with those that are held. For one thread.
final class PacketQueue {
    /// `MSG_DONTWAIT`, whose name is hidden where libnetfilter_queue's headers are imported as well.
    private static let withoutWaiting: Int32 = 0x40

    private struct Held {
        var due: Int64
        /// Keeps those of the same time in order.
        var number: UInt64
        var queue: Int
        var packet: UInt32
        /// With the bit that says that it was here.
        var mark: UInt32
    }

    private let handle: OpaquePointer
    private let mark: UInt32
    /// In the order of the order's numbers.
    private var queues: [OpaquePointer] = []
    private var slots: [UnsafeMutablePointer<Slot>] = []
    private var fates: [PacketFate] = []
    /// In the order in which they go on: the next one last.
    private var held: [Held] = []
    private var number: UInt64 = 0
    /// Of each queue, the highest number that has gone on.
    private var latest: [UInt64] = []
    private var buffer = [CChar](repeating: 0, count: 1 << 17)
    private(set) var counts = PacketCounts()

    /// What the kernel's call is given: which queue of which object.
    fileprivate struct Slot {
        unowned let owner: PacketQueue
        let index: Int
    }

    /// - Throws: when this process may not, or the kernel has no queues.
    init(_ order: PacketQueueOrder) throws(SystemError) {
        guard let handle = nfq_open() else { throw SystemError("open the kernel's packet queues") }
        self.handle = handle
        mark = order.mark
        for (index, queueNumber) in order.queues.enumerated() {
            let slot = UnsafeMutablePointer<Slot>.allocate(capacity: 1)
            slot.initialize(to: Slot(owner: self, index: index))
            slots.append(slot)
            fates.append(PacketFate(plan: order.plan, seed: order.seed &+ UInt64(index)))
            latest.append(0)
            guard let queue = nfq_create_queue(handle, queueNumber, receivePacket, slot) else {
                throw SystemError("listen on packet queue \(queueNumber)")
            }
            queues.append(queue)
            // Only numbers are asked for; the kernel keeps the packets.
            guard nfq_set_mode(queue, UInt8(NFQNL_COPY_META.rawValue), 0) == 0 else {
                throw SystemError("set up packet queue \(queueNumber)")
            }
            nfq_set_queue_maxlen(queue, 8192)
        }
    }

    deinit {
        queues.forEach { nfq_destroy_queue($0) }
        nfq_close(handle)
        slots.forEach { $0.deallocate() }
    }

    var descriptor: Int32 { nfq_fd(handle) }
    /// When the next packet that is held has to go on.
    var nextDue: Int64? { held.last?.due }

    /// Takes what the kernel has for us, as far as it is there.
    func receive() {
        while true {
            let got = recv(descriptor, &buffer, buffer.count, Self.withoutWaiting)
            // Too many at once (ENOBUFS): the kernel has dropped what it could not tell; there is more.
            if got < 0 && (errno == ENOBUFS || errno == EINTR) { continue }
            guard got > 0 else { return }
            nfq_handle_packet(handle, &buffer, Int32(got))
        }
    }

    /// Lets go on what has been held long enough.
    func release(at now: Int64) {
        while let next = held.last, next.due <= now {
            held.removeLast()
            accept(next)
        }
    }

    /// Lets everything go on.
    func releaseAll() {
        while let next = held.popLast() { accept(next) }
    }

    fileprivate func decide(_ packet: UInt32, mark: UInt32, queue: Int) {
        let now = Int64(MonotonicInstant.now.nanoseconds)
        counts.seen += 1
        switch fates[queue].verdict(at: now) {
        case .lost:
            counts.lost += 1
            nfq_set_verdict(queues[queue], packet, cnetfilterqueue_drop, 0, nil)
        case .passes(let due):
            if due > now { counts.delayed += 1 }
            hold(packet, mark, queue, until: due)
        }
    }

    private func hold(_ packet: UInt32, _ mark: UInt32, _ queue: Int, until due: Int64) {
        number += 1
        let new = Held(due: due, number: number, queue: queue, packet: packet, mark: mark | self.mark)
        // Mostly the latest of all.
        let index = held.firstIndex { ($0.due, $0.number) <= (new.due, new.number) } ?? held.endIndex
        held.insert(new, at: index)
    }

    private func accept(_ held: Held) {
        if held.number < latest[held.queue] { counts.overtaken += 1 }
        latest[held.queue] = max(latest[held.queue], held.number)
        // From the first rule again: other faults may want it, too.
        nfq_set_verdict2(queues[held.queue], held.packet, cnetfilterqueue_repeat, held.mark, 0, nil)
    }
}

private func receivePacket(
    _ queue: OpaquePointer?, _ message: UnsafeMutablePointer<nfgenmsg>?, _ packet: OpaquePointer?,
    _ context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let slot = context?.assumingMemoryBound(to: PacketQueue.Slot.self).pointee, let packet else { return 0 }
    slot.owner.decide(cnetfilterqueue_id(packet), mark: nfq_get_nfmark(packet), queue: slot.index)
    return 0
}
