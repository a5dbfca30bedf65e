package import ConnectionPool
import EventLoop
import RigModel
import Threading

/// Where the rows of a COPY from the server come from, see ``PostgresConnection/copyOut(_:deadline:_:)``.
///
/// Nothing is read from the socket before it is asked for (beyond libpq's buffer of some 32 KiB), so a slow reader slows the
/// server. Not thread-safe.
package final class CopyReader {
    private let session: Session
    private let watch: SocketWatch
    private let deadline: MonotonicInstant
    /// The server has said everything: its verdict comes next.
    private(set) var isOver = false
    /// Why a read was not finished.
    private(set) var interruption: LoopError?

    init(session: Session, watch: SocketWatch, deadline: MonotonicInstant) {
        self.session = session
        self.watch = watch
        self.deadline = deadline
    }

    /// The next rows, whole ones, in the format that the COPY asks for; a piece has about 64 KiB, or what is there.
    ///
    /// - Returns: `nil` when no more come. Whether that was all, or the server failed, is the verdict of the COPY itself.
    /// - Throws: ``DriverError``: `timedOut` or `cancelled`.
    package nonisolated(nonsending) func next() async throws(DriverError) -> [UInt8]? {
        do throws(LoopError) {
            if Task.isCancelled { throw .cancelled }
            if deadline <= .now { throw .timedOut }
            while !isOver {
                switch session.takeRows(limit: 64 << 10) {
                case .some(let rows): return rows
                case .wait: _ = try await mustGoOn(.wait(.readable), watch, until: deadline)
                case .again: _ = try await mustGoOn(.again, watch, until: deadline)
                case .end: isOver = true
                }
            }
            return nil
        } catch {
            interruption = error
            throw DriverError(interruption: error, "reading the rows of a COPY", requestSent: true)
        }
    }
}
