import Glibc
import RigModel

/// The times of one worker's operations, in nanoseconds. The memory is reserved beforehand and touched only as it fills, so
/// that a sample costs one store; when it is full the operations are still counted.
final class Samples: @unchecked Sendable {
    // @unchecked: one worker writes, and whoever reads waits for the end of that worker.
    private let times: UnsafeMutablePointer<UInt32>
    private let capacity: Int
    private(set) var count = 0
    /// Operations that succeeded.
    private(set) var succeeded = 0
    var failed = 0

    init(capacity: Int) {
        self.capacity = capacity
        times = .allocate(capacity: capacity)
    }

    deinit { times.deallocate() }

    /// One for each worker, with room for what a second of the fastest operation needs: 6 million (24 MB), or 750 000 each
    /// (3 MB) where more than eight share the processors.
    static func forWorkers(_ count: Int) -> [Samples] {
        (0..<count).map { _ in Samples(capacity: count > 8 ? 750_000 : 6_000_000) }
    }

    @inline(__always)
    func add(nanoseconds: UInt64, operations: Int = 1) {
        succeeded += operations
        guard count < capacity else { return }
        times[count] = UInt32(clamping: nanoseconds)
        count += 1
    }

    func copy(to all: inout [UInt32]) { all.append(contentsOf: UnsafeBufferPointer(start: times, count: count)) }

    func reset() {
        count = 0
        succeeded = 0
        failed = 0
    }
}

/// What all workers did together.
struct Measured {
    var operations = 0
    var errors = 0
    var seconds = 0.0
    /// Ascending, in nanoseconds.
    var times: [UInt32] = []
    /// The words of an operation that failed.
    var firstError: String?

    init(_ workers: [Samples], seconds: Double, firstError: String?) {
        self.seconds = seconds
        self.firstError = firstError
        times.reserveCapacity(workers.reduce(0) { $0 + $1.count })
        for worker in workers {
            operations += worker.succeeded
            errors += worker.failed
            worker.copy(to: &times)
        }
        times.sort()
    }

    var perSecond: Double { seconds > 0 ? Double(operations) / seconds : 0 }

    /// In microseconds, as the harness in Go takes it; `nil` without samples.
    func quantile(_ share: Double) -> Double? {
        times.isEmpty ? nil : Double(times[Int(Double(times.count - 1) * share)]) / 1000
    }

    func fill(_ row: inout BenchRow) {
        row.perSecond = perSecond
        row.p50 = quantile(0.5)
        row.p99 = quantile(0.99)
        row.p999 = quantile(0.999)
        row.max = quantile(1)
        row.errors = errors
        if let firstError { row.extra.append(.init("first_error", .string(firstError))) }
    }
}
