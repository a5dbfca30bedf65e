import ConnectionPool
import RigModel
import Threading

/// The rig's own connection beside the pool: for probes, faults and final reads. Reconnects when it was lost. Thread-safe;
/// one statement at a time.
final class AdminSession<D: Driver>: Sendable {
    private let driver: D
    private let gate = SerialGate()
    private let connection = Lock<D.Connection?>(nil)

    init(driver: D) { self.driver = driver }

    /// Runs one statement. A connection that was found dead before anything was sent is replaced, once.
    ///
    /// - Throws: the driver's error; the connection is dropped unless it is still fine.
    func run(_ statement: SQLStatement, within limit: Duration) async throws(DriverError) -> SQLResult {
        let deadline = MonotonicInstant.now.advanced(by: limit)
        let outcome = await gate.pass { () async -> Result<SQLResult, DriverError> in
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
            let open = connection.withLock { $0.take() }
            await open?.close(deadline: MonotonicInstant.now.advanced(by: .seconds(1)))
        }
    }

    private func open(deadline: MonotonicInstant) async throws(DriverError) -> D.Connection {
        if let open = connection.withLock({ $0 }) { return open }
        let opened = try await driver.connect(deadline: deadline)
        connection.withLock { $0 = opened }
        return opened
    }

    private func dropIfUnusable() async {
        let dead = connection.withLock { connection -> D.Connection? in
            guard let open = connection, open.transactionStatus != .idle else { return nil }
            connection = nil
            return open
        }
        await dead?.close(deadline: MonotonicInstant.now.advanced(by: .seconds(1)))
    }
}
