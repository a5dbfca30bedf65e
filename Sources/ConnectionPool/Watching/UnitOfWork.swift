import Threading

/// A piece of work that a program does as a whole, such as answering one request. Statements inside it are counted together,
/// whichever leases they use.
public final class UnitOfWork: Sendable {
    @TaskLocal public static var current: UnitOfWork?

    public let name: String
    private let shapes = Lock(ShapeCounts())
    private let detectors = Lock<[ObjectIdentifier: RepeatedQueryDetector]>([:])

    private init(name: String) { self.name = name }

    /// Runs `body` as a unit of work. Child tasks belong to it.
    public static func run<R>(_ name: String, _ body: () async throws -> R) async rethrows -> R {
        let unit = UnitOfWork(name: name)
        defer { unit.end() }
        return try await $current.withValue(unit, operation: body)
    }

    func count(_ shape: String, _ statement: StatementObservation, for detector: RepeatedQueryDetector) {
        detectors.withLock { $0[ObjectIdentifier(detector)] = detector }
        shapes.withLock { $0.add(shape, statement) }
    }

    private func end() {
        let counted = shapes.withLock { $0 }
        for detector in detectors.withLock({ $0.values.map { $0 } }) { detector.report(counted, unitOfWork: name) }
    }
}
