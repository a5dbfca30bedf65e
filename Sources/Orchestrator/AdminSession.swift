import ConnectionPool
import RigModel
import Threading

/// The rig's own connection beside the pool: for probes, faults and final reads. Reconnects when it was lost. Thread-safe;
/// one statement at a time.
final class AdminSession<D: Driver>: Sendable {
    private let driver: D
    private let gate = SerialGate()
    private let state = Lock(State())

    private struct State {
        var connection: D.Connection?
        /// A statement runs: the connection must not be looked at meanwhile.
        var isBusy = false
    }

    init(driver: D) { self.driver = driver }

    /// A connection is open now: one socket of this process that is not the pool's. One that a fault has cut is not.
    var isOpen: Bool {
        state.withLock { state in
            guard let connection = state.connection else { return false }
            return state.isBusy || connection.looksAlive()
        }
    }

    /// Runs one statement. A connection that was found dead before anything was sent is replaced, once.
    ///
    /// - Throws: the driver's error; the connection is dropped unless it is still fine.
    func run(_ statement: SQLStatement, within limit: Duration) async throws(DriverError) -> SQLResult {
        let deadline = MonotonicInstant.now.advanced(by: limit)
        let outcome = await gate.pass { () async -> Result<SQLResult, DriverError> in
            defer { state.withLock { $0.isBusy = false } }
            for attempt in 1...2 {
                do throws(DriverError) {
                    let connection = try await open(deadline: deadline)
                    return .success(try await connection.execute(statement, deadline: deadline))
                } catch {
                    await dropIfUnusable()
                    if attempt == 1, error.provesLoss, !error.requestSent { continue }
                    return .failure(error)
                }
            }
            preconditionFailure("the second attempt returns")
        }
        return try outcome.get()
    }

    func close() async {
        await gate.pass {
            let open = state.withLock { $0.connection.take() }
            await open?.close(deadline: MonotonicInstant.now.advanced(by: .seconds(1)))
        }
    }

    private func open(deadline: MonotonicInstant) async throws(DriverError) -> D.Connection {
        let open = state.withLock { state in
            state.isBusy = true
            return state.connection
        }
        if let open { return open }
        let opened = try await driver.connect(deadline: deadline)
        state.withLock { $0.connection = opened }
        return opened
    }

    private func dropIfUnusable() async {
        let dead = state.withLock { state -> D.Connection? in
            guard let open = state.connection, open.transactionStatus != .idle else { return nil }
            state.connection = nil
            return open
        }
        await dead?.close(deadline: MonotonicInstant.now.advanced(by: .seconds(1)))
    }
}
