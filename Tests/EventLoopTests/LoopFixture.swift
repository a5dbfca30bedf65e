import EventLoop
import Threading

/// Lends a loop to `body` and shuts it down afterwards.
func withLoop<R>(_ body: (EventLoop) async throws -> R) async throws -> R {
    let loop = try EventLoop(name: "test-loop")
    defer { loop.shutdown() }
    return try await body(loop)
}

/// Runs `operation` and returns what it threw; `nil` when it succeeded.
func failure(of operation: () async throws(LoopError) -> Void) async -> LoopError? {
    do {
        try await operation()
        return nil
    } catch {
        return error
    }
}

extension MonotonicInstant {
    static func inMilliseconds(_ count: Int) -> MonotonicInstant { now.advanced(by: .milliseconds(count)) }
    /// Far beyond the time limit of a test.
    static var never: MonotonicInstant { now.advanced(by: .seconds(3600)) }
}
