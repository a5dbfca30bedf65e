package import ConnectionPool
package import Workloads

/// What is put between the parts of the pool under test, from outside. The self-test plants its defects so: the pool's own code
/// has no switch for them. A value; each change has "nothing" as its default.
package struct PoolDecoration: Sendable {
    /// Around the driver, below the pool.
    package var driver: (@Sendable (any Driver) -> any Driver)?
    /// The limits that the pool is really given. The history tells those of the scenario.
    package var configuration: @Sendable (PoolConfiguration) -> PoolConfiguration = { $0 }
    /// The policy that is really followed.
    package var policy: @Sendable (RetryPolicy) -> RetryPolicy = { $0 }
    /// The pool's time and threads.
    package var runtime: @Sendable (any PoolRuntime) -> any PoolRuntime = { $0 }
    /// What the pool tells of itself, on its way to the history.
    package var observer: @Sendable (any PoolObserver) -> any PoolObserver = { $0 }
    /// Around the whole pool, where its clients stand.
    package var pool: @Sendable (any PoolUnderTest) -> any PoolUnderTest = { $0 }

    /// Somebody else's pool takes the place of all that; only ``pool`` is still put around it.
    package var instead: (@Sendable (PoolOrder) async throws -> any ScopedPool)?

    package init() {}
}
