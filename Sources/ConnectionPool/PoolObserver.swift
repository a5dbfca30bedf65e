/// Is told what the pool does. Called outside the pool's lock, on any thread, but notices one at a time and in the order in
/// which they happened; must not block.
public protocol PoolObserver: Sendable {
    func poolConnected(_ handle: ConnectionHandle, backendPID: Int?, took: Duration)
    func poolConnectFailed(_ error: DriverError)
    func poolNoticed(_ notice: PoolNotice, backendPID: Int?)
}

extension PoolNotice {
    var handle: ConnectionHandle {
        switch self {
        case .leakSuspected(let handle, _, _), .leakCleared(let handle), .leaked(let handle, _),
            .closing(let handle, _):
            handle
        }
    }
}
