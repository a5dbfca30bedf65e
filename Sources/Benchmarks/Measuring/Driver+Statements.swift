import ConnectionPool
import Threading

extension Driver {
    /// Runs statements on a connection of their own, one after the other, and closes it on every way out.
    func run(_ texts: [String], until deadline: MonotonicInstant) async throws(DriverError) {
        let connection = try await connect(deadline: deadline)
        let result: Result<Void, DriverError>
        do throws(DriverError) {
            for text in texts {
                _ = try await connection.execute(SQLStatement(text, role: .write), deadline: deadline)
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await connection.close(deadline: deadline)
        try result.get()
    }
}
