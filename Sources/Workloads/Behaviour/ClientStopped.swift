import ConnectionPool
import RigModel

/// The client ended its use by itself, in the middle of it: no failure of the pool's, and never tried again.
struct ClientStopped: Error {
    enum Reason: String {
        case threw = "client-threw"
        case abandonedTransaction = "client-abandoned"
    }

    let reason: Reason
    /// What its statements had returned by then.
    let results: [SQLResult]

    /// What it had done is undone: it never committed. Outside a transaction its statements stand.
    func failure(_ request: UseRequest) -> UseFailure? {
        guard !request.isReadOnly, request.isTransaction || reason == .abandonedTransaction else { return nil }
        return UseFailure(stopped: reason.rawValue)
    }
}
