import CLibPQ
import CLinux
import ConnectionPool
import EventLoop
import Glibc
import RigModel
import Synchronization
import Threading

/// libpq's connection, its notices, its prepared statements and its end, behind one lock.
///
/// libpq closes its socket in the middle of many calls, and the number may then belong to someone else at once. So every
/// call that could close it, and the `shutdown` of another thread, hold this lock: a cut always hits the right socket. All
/// calls here return without waiting, so the lock is held for microseconds.
final class Session: @unchecked Sendable {
    // @unchecked: libpq's object and the notices are touched with the lock held only.

    struct State {
        var connection: OpaquePointer?
        /// Why the session must not be used again; `nil` while it may.
        var damage: DriverError?
        /// Where its borrower waits; `nil` until the connect is over.
        var watch: SocketWatch?
        var cache: StatementCache
        /// When a borrower last had an answer.
        var lastUse = MonotonicInstant(nanoseconds: 0)
        /// A statement is on its way.
        var isInUse = false
        /// Told once, when something happens while nobody uses the session.
        var onIdleEvent: (@Sendable () -> Void)?
        /// Whom to ask to end a statement; `nil` when that is not known.
        var cancelTarget: CancelTarget?
        let notices: NoticeLog
    }

    let state: Lock<State>
    /// The number of the loop of `state.watch`; -1 before there is one.
    let loopNumber = Atomic<Int32>(-1)
    /// The session is idle outside a transaction, nothing has been sent since that was seen, and its loop tells when something
    /// comes. Written with the lock held; lets an acquire and a release look without it.
    let isAtRest = Atomic<Bool>(false)
    private let ledger: StatementCacheLedger?

    /// Begins a connect.
    ///
    /// - Returns: `nil` when there is no memory.
    init?(parameters: [String: String], statementCacheSize: Int, ledger: StatementCacheLedger?) {
        let sorted = parameters.sorted { $0.key < $1.key }
        guard
            let connection = withCStrings(
                sorted.map(\.key),
                { keywords in
                    withCStrings(sorted.map(\.value)) { values in PQconnectStartParams(keywords, values, 0) }
                })
        else { return nil }
        // The errors of a connect have no code of their own: let their text be the code.
        PQsetErrorVerbosity(connection, PQERRORS_SQLSTATE)
        let notices = NoticeLog()
        notices.listen(to: connection)
        let cache = StatementCache(capacity: statementCacheSize, prefix: StatementCache.randomPrefix())
        state = Lock(State(connection: connection, cache: cache, notices: notices))
        self.ledger = ledger
        ledger?.open(ObjectIdentifier(self)) { [weak self] in self?.cacheCounts ?? StatementCacheCounts() }
    }

    deinit { finish() }

    // MARK: Connecting

    var status: ConnStatusType { call { PQstatus($0) } ?? CONNECTION_BAD }
    var socket: Int32 { call { PQsocket($0) } ?? -1 }
    var backendPID: Int { Int(call { PQbackendPID($0) } ?? 0) }
    var serverVersion: Int { Int(call { PQserverVersion($0) } ?? 0) }
    var lastWords: String { call { String(cString: PQerrorMessage($0)) } ?? "" }

    func pollConnect() -> PostgresPollingStatusType { call { PQconnectPoll($0) } ?? PGRES_POLLING_FAILED }

    /// Prepares an established connection for statements.
    ///
    /// - Parameter loop: where its first borrower waits.
    /// - Returns: whether libpq and the kernel could.
    func becomeNonBlocking(loop: EventLoop) -> Bool {
        state.withLock { state in
            guard let connection = state.connection, PQsocket(connection) >= 0 else { return false }
            PQsetErrorVerbosity(connection, PQERRORS_DEFAULT)
            guard PQsetnonblocking(connection, 1) == 0,
                let watch = try? SocketWatch(loop: loop, descriptor: PQsocket(connection))
            else { return false }
            state.watch = watch
            state.lastUse = .now
            state.cancelTarget = CancelTarget(of: connection)
            loopNumber.store(loop.number, ordering: .relaxed)
            return true
        }
    }

    // MARK: State

    /// Declares the session unusable; the first reason stays. Its statement, if one runs, is no longer waited for.
    func damage(_ reason: DriverError) {
        state.withLock { state in
            isAtRest.store(false, ordering: .releasing)
            state.damage = state.damage ?? reason
            state.isInUse = false
        }
    }

    var transactionStatus: TransactionStatus {
        if isAtRest.load(ordering: .acquiring) { return .idle }
        return state.withLock { state in
            let status = state.transactionStatus
            if status == .idle, state.onIdleEvent != nil, state.watch?.hasNews == false {
                isAtRest.store(true, ordering: .releasing)
            }
            return status
        }
    }

    /// Looks, without waiting, for what the server did while nobody asked, and lets libpq digest it: parameter changes and
    /// ordinary notices are harmless. Makes no system call shortly after a statement, when no news have come since.
    ///
    /// - Parameter idle: how long ago it was used, in nanoseconds.
    /// - Returns: why no statement can be sent; `nil` when one can.
    func obstacle(idle: UInt64) -> DriverError? {
        if idle < State.trust, isAtRest.load(ordering: .acquiring) { return nil }
        return state.withLock { state in
            do throws(DriverError) {
                _ = try state.admit(idle: idle)
                return nil
            } catch {
                isAtRest.store(false, ordering: .releasing)
                return error
            }
        }
    }

    /// Uses of the prepared statements.
    var cacheCounts: StatementCacheCounts {
        state.withLock { StatementCacheCounts(hits: $0.cache.hits, misses: $0.cache.misses) }
    }

    /// Whom to ask to end the statement that runs; `nil` when none runs, or the server gave no key.
    var runningTarget: CancelTarget? { state.withLock { $0.isInUse ? $0.cancelTarget : nil } }

    /// How to end what runs now without the session, which is given up; `nil` while nothing runs, or nobody can be asked.
    func endOfRunningStatement() -> AbandonedStatement? {
        state.withLock { state in
            guard state.isInUse, let target = state.cancelTarget, let connection = state.connection else { return nil }
            return AbandonedStatement(target: target, socket: PQsocket(connection))
        }
    }

    // MARK: Between statements

    /// See ``ConnectionPool/DriverConnection/onIdleEvent(_:)``.
    func onIdleEvent(_ notice: @escaping @Sendable () -> Void) {
        let (watch, former) = state.withLock { state in
            defer { state.onIdleEvent = notice }
            return (state.watch, state.onIdleEvent)
        }
        withExtendedLifetime(former) {}
        watch?.onIdleEvent { [weak self] in self?.lookWhileIdle() }
    }

    /// The socket has news, and nobody waits for them. A late piece of an answer, and what is harmless, is not told.
    private func lookWhileIdle() {
        let notice = state.withLock { state -> (@Sendable () -> Void)? in
            isAtRest.store(false, ordering: .releasing)
            guard !state.isInUse, state.onIdleEvent != nil, state.look() != nil else { return nil }
            return state.onIdleEvent.take()
        }
        notice?()
    }

    /// Makes the borrower's own loop the one that watches the socket, so that its waits cost no change of thread.
    ///
    /// Called with the lock held. A kernel that refuses leaves everything as it was.
    func settle(_ state: inout State, on loop: EventLoop) {
        guard let connection = state.connection, PQsocket(connection) >= 0, let former = state.watch,
            let watch = try? SocketWatch(loop: loop, descriptor: PQsocket(connection))
        else { return }
        former.end()
        former.onIdleEvent(nil)
        if state.onIdleEvent != nil { watch.onIdleEvent { [weak self] in self?.lookWhileIdle() } }
        state.watch = watch
        loopNumber.store(loop.number, ordering: .relaxed)
    }

    // MARK: The end

    /// Cuts the connection: whoever waits on its socket wakes up and finds its end. Any thread.
    func cut() {
        state.withLock { state in
            isAtRest.store(false, ordering: .releasing)
            guard let connection = state.connection else { return }
            let socket = PQsocket(connection)
            if socket >= 0 { _ = shutdown(socket, Int32(SHUT_RDWR)) }
            state.damage = state.damage ?? DriverError(.connectionLost, "the connection was cut by its owner")
        }
    }

    /// Says goodbye as far as that needs no waiting, and frees everything. A second call does nothing.
    func finish() {
        let counts = state.withLock { state -> StatementCacheCounts? in
            isAtRest.store(false, ordering: .releasing)
            guard let connection = state.connection.take() else { return nil }
            if PQsocket(connection) >= 0 { state.watch?.end() }
            PQfinish(connection)
            return StatementCacheCounts(hits: state.cache.hits, misses: state.cache.misses)
        }
        if let counts { ledger?.close(ObjectIdentifier(self), with: counts) }
    }

    func call<R>(_ body: (OpaquePointer) -> R) -> R? {
        state.withLock { state in state.connection.map(body) }
    }
}
