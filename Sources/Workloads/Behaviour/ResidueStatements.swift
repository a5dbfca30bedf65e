import ConnectionPool
import RigModel

extension Residue {
    /// What leaves it on a PostgreSQL session. None of them waits for another session.
    ///
    /// - Parameter number: of the use.
    func statement(number: Int64) -> SQLStatement {
        switch self {
        case .settings: SQLStatement("SELECT set_config('work_mem', '1234kB', false)", role: .read)
        // To be oneself by SET ROLE is a role that was set, and needs no right.
        case .role: SQLStatement("SELECT set_config('role', session_user, false)", role: .read)
        case .temporaryTable:
            SQLStatement("CREATE TEMP TABLE IF NOT EXISTS chaosrig_residue (number BIGINT)", role: .write)
        case .advisoryLock: SQLStatement("SELECT pg_try_advisory_lock($1::bigint)", [.int(number)], role: .read)
        case .listen: SQLStatement("LISTEN chaosrig_residue", role: .write)
        }
    }
}
