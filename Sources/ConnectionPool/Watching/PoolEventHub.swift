import Synchronization
public import Threading

/// Turns what a pool tells into streams of events. Give it to the pool as its observer and its watcher.
///
/// ```swift
/// let hub = PoolEventHub(runtime: runtime)
/// let pool = Pool(driver: driver, configuration: configuration, runtime: runtime, seed: 1, observer: hub, watcher: hub)
/// for await event in hub.events() { … }
/// ```
///
/// While nobody listens each acquire and release costs one look at a flag.
public final class PoolEventHub: PoolObserver, LeaseWatcher {
    private struct Listeners: Sendable {
        var streams: [Int: WeakStream] = [:]
        var nextNumber = 0
        var isFinished = false
    }

    private struct WeakStream: Sendable {
        weak let stream: PoolEventStream?
    }

    private let runtime: any PoolRuntime
    private let listeners = Lock(Listeners())
    private let isHeard = Atomic<Bool>(false)

    public init(runtime: any PoolRuntime) { self.runtime = runtime }

    /// The events from now on, until the stream is dropped or the hub finished.
    ///
    /// - Parameter buffer: events that wait for their reader at the most; then the oldest are dropped, and counted.
    public func events(buffer: Int = 1024) -> PoolEventStream {
        let number = listeners.withLock { listeners in
            defer { listeners.nextNumber += 1 }
            return listeners.nextNumber
        }
        let stream = PoolEventStream(capacity: buffer) { [weak self] in self?.remove(number) }
        let isFinished = listeners.withLock { listeners in
            listeners.streams[number] = WeakStream(stream: stream)
            isHeard.store(!listeners.isFinished, ordering: .relaxed)
            return listeners.isFinished
        }
        if isFinished { stream.finish() }
        return stream
    }

    /// Ends every stream. Call it when the pool is closed.
    public func finish() {
        let streams = listeners.withLock { listeners in
            listeners.isFinished = true
            isHeard.store(false, ordering: .relaxed)
            return listeners.streams.values.compactMap(\.stream)
        }
        for stream in streams { stream.finish() }
    }

    private func remove(_ number: Int) {
        listeners.withLock { listeners in
            listeners.streams[number] = nil
            if listeners.streams.isEmpty { isHeard.store(false, ordering: .relaxed) }
        }
    }

    private func tell(_ event: PoolEvent) {
        // Taken out of the lock with strong references: the last one may go here, and that calls back.
        let streams = listeners.withLock { listeners in listeners.streams.values.compactMap(\.stream) }
        for stream in streams { stream.add(event) }
    }

    // MARK: Watcher

    public var interest: WatchInterest { isHeard.load(ordering: .relaxed) ? .leases : [] }

    public func acquireBegan(_ site: BorrowSite, at: MonotonicInstant) {
        tell(PoolEvent(.acquiring, at: at, site: site))
    }

    public func acquireFailed(_ site: BorrowSite, _ error: PoolError, at: MonotonicInstant) {
        tell(PoolEvent(.refused(error), at: at, site: site))
    }

    public func leaseBegan(_ lease: LeaseObservation) { tell(PoolEvent(.granted, lease)) }

    public func connectionLost(_ lease: LeaseObservation, _ error: DriverError) {
        tell(PoolEvent(.lost(error), lease))
    }

    public func leaseEnded(_ lease: LeaseObservation, _ end: LeaseEnd) {
        // The pool itself tells of leaks.
        if case .released(let status) = end { tell(PoolEvent(.released(status), lease)) }
    }

    // MARK: Observer

    public func poolConnected(_ handle: ConnectionHandle, backendPID: Int?, took: Duration) {
        guard isHeard.load(ordering: .relaxed) else { return }
        tell(
            PoolEvent(.connected(took: took), at: runtime.now, connection: handle.serial, backendPID: backendPID))
    }

    public func poolConnectFailed(_ error: DriverError) {
        guard isHeard.load(ordering: .relaxed) else { return }
        tell(PoolEvent(.connectFailed(error), at: runtime.now))
    }

    public func poolNoticed(_ notice: PoolNotice, backendPID: Int?) {
        guard isHeard.load(ordering: .relaxed) else { return }
        var site: BorrowSite?
        let kind: PoolEvent.Kind
        switch notice {
        case .leakSuspected(_, let borrower, let held): (kind, site) = (.leakSuspected(held: held), borrower)
        case .leakCleared: kind = .leakTakenBack
        case .leaked(_, let borrower): (kind, site) = (.leaked, borrower)
        case .closing(_, let reason): kind = .closing(reason)
        }
        tell(
            PoolEvent(kind, at: runtime.now, connection: notice.handle.serial, backendPID: backendPID, site: site))
    }
}

extension PoolEvent {
    fileprivate init(_ kind: Kind, _ lease: LeaseObservation) {
        self.init(kind, at: lease.at, connection: lease.connection, backendPID: lease.backendPID, site: lease.site)
    }
}
