import RigModel

/// What the pool said about its own limits: the first `pool/configured`. A mergeable fold.
struct PoolLimits: Sendable {
    private var index = Int.max
    private var value = JSONValue.null

    mutating func observe(_ event: Event) {
        guard event.process == .pool, event.function == "configured", event.index < index else { return }
        index = event.index
        value = event.value
    }

    mutating func merge(_ other: PoolLimits) { if other.index < index { self = other } }

    var wereTold: Bool { index != .max }
    /// A duration in nanoseconds; `nil`: without limit, or never told.
    func nanoseconds(_ key: String) -> Int64? { value.nanoseconds(key) }
    func count(_ key: String) -> Int64? { value[key]?.intValue }
    /// `safe`, `none`, `blind`; `nil`: never told.
    var retry: String? { value["retry"]?.stringValue }
}
