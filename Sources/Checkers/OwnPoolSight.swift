import RigModel

/// Whether our own pool's gauges and the rig's samples are in the history. Each run with our own pool has them; of another pool
/// nobody knows. A mergeable fold in constant memory.
struct OwnPoolSight: Sendable {
    private var isOwn = false
    private var hasGauges = false
    private var hasSamples = false

    mutating func observe(_ event: Event) {
        if event.isConfigurationOfOwnPool { isOwn = true }
        if event.process == .pool, event.function == "gauges" { hasGauges = true }
        if event.process == .probe, event.function == "sample" { hasSamples = true }
    }

    mutating func merge(_ other: OwnPoolSight) {
        isOwn = isOwn || other.isOwn
        hasGauges = hasGauges || other.hasGauges
        hasSamples = hasSamples || other.hasSamples
    }

    /// Why nothing can be said of the pool's connections; `nil`: they were told.
    var withoutGauges: String? { isOwn && !hasGauges ? "the history has no gauges of the pool" : nil }

    /// Why nothing can be said of what was outside of the pool; `nil`: it was looked at.
    var withoutSamples: String? { isOwn && !hasSamples ? "the history has no samples" : nil }
}
