import Threading

/// Runs a blocking piece of work on a thread of its own and suspends meanwhile, so that no thread of the cooperative
/// pool is blocked. The thread has ended when this returns. Costs one thread start (about 50 µs).
///
/// Cancelling the calling task does not end the work: `body` must have a bound of its own.
package func onOwnThread<T: Sendable>(_ name: String, _ body: @escaping @Sendable () -> T) async -> T {
    var thread: ServiceThread?
    let result = await withCheckedContinuation { continuation in
        thread = ServiceThread(name: name) { continuation.resume(returning: body()) }
    }
    thread?.join()
    return result
}

/// ``onOwnThread(_:_:)`` for work that can fail.
package func onOwnThread<T: Sendable, E: Error>(
    _ name: String, throwing body: @escaping @Sendable () throws(E) -> T
) async throws(E) -> T {
    let result: Result<T, E> = await onOwnThread(name) { () -> Result<T, E> in
        do throws(E) { return .success(try body()) } catch { return .failure(error) }
    }
    return try result.get()
}
