package import RigModel

/// Operations of a short time, for the live progress.
package struct WorkloadWindow: Sendable {
    package private(set) var ok = 0
    package private(set) var failed = 0
    package private(set) var unknown = 0
    package private(set) var latency = LatencyHistogram()
    /// Since the start, and not of the window.
    var successes = 0

    mutating func add(_ outcome: Outcome, latencyNanoseconds: Int64) {
        switch outcome {
        case .ok:
            ok += 1
            latency.add(nanoseconds: latencyNanoseconds)
        case .fail: failed += 1
        case .info: unknown += 1
        }
    }
}
