import Threading

/// What a defect remembers. Thread-safe.
final class Memory<Value: Sendable>: Sendable {
    private let lock: Lock<Value>

    init(_ value: Value) { lock = Lock(value) }

    func withLock<R>(_ body: (inout Value) -> R) -> R { lock.withLock(body) }
}
