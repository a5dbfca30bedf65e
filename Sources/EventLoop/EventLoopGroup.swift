import Synchronization

/// Several event loops, so that work that does not share data runs on several cores.
///
/// A task that prefers one of the loops stays on its thread, and so does every wait of it: what is used together belongs on
/// one loop. Thread-safe.
public final class EventLoopGroup: Sendable {
    public let loops: [EventLoop]
    private let turn = Atomic<Int>(0)

    /// Starts the loops' threads. End them with ``shutdown()``.
    ///
    /// - Parameter count: at least 1.
    /// - Throws: ``LoopError/system(errno:call:)`` when the process has no descriptors left (each loop needs three).
    public init(count: Int, name: String = "event-loop") throws(LoopError) {
        var loops: [EventLoop] = []
        for index in 0..<max(1, count) {
            do throws(LoopError) {
                loops.append(try EventLoop(name: "\(name)-\(index)"))
            } catch {
                for loop in loops { loop.shutdown() }
                throw error
            }
        }
        self.loops = loops
    }

    /// Loops that somebody else started.
    ///
    /// - Parameter loops: at least one.
    public init(loops: [EventLoop]) {
        precondition(!loops.isEmpty, "a group needs at least one loop")
        self.loops = loops
    }

    /// The loop on whose thread the calling code runs, if it is one of these; else the next in turn.
    public func nearest() -> EventLoop {
        if let current = EventLoop.current, loops.contains(where: { $0 === current }) { return current }
        return next()
    }

    /// The loops in turn.
    public func next() -> EventLoop {
        loops[Int(UInt(bitPattern: turn.add(1, ordering: .relaxed).oldValue) % UInt(loops.count))]
    }

    /// Ends the loops and joins their threads, see ``EventLoop/shutdown()``.
    public func shutdown() { for loop in loops { loop.shutdown() } }
}
