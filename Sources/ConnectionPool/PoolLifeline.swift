/// Lives as long as the pool's surface: what calls back into the pool holds it weakly, so that timers do not keep a pool
/// alive that nobody uses.
final class PoolLifeline: Sendable {
    let core: PoolCore

    init(core: PoolCore) { self.core = core }
}
