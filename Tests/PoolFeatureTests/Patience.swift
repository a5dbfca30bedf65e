import ConnectionPool
import Threading

extension PoolConfiguration {
    /// Limits that no slow machine reaches; a test shortens the ones that it is about.
    static func patient(maxOpen: Int) -> PoolConfiguration {
        PoolConfiguration(
            maxOpen: maxOpen, acquireTimeout: .seconds(600), connectTimeout: .seconds(600),
            statementTimeout: .seconds(600), releaseTimeout: .seconds(600), closeTimeout: .seconds(600))
    }
}

extension MonotonicInstant {
    static var inTenMinutes: MonotonicInstant { now.advanced(by: .seconds(600)) }
}
