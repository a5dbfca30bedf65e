import Threading

/// A statement that was run again and again where one would do (the "N+1" habit).
public struct RepeatedQuery: Sendable, Equatable, CustomStringConvertible {
    public var shape: String
    public var count: Int
    /// Time that they took in sum.
    public var nanoseconds: Int64
    /// Where the connection was borrowed for the first one.
    public var site: BorrowSite
    /// `nil`: inside one lease.
    public var unitOfWork: String?

    public var description: String {
        "\(count) times in \(unitOfWork.map { "\"\($0)\"" } ?? "one lease") (\(Double(nanoseconds) / 1e6) ms, borrowed at "
            + "\(site)): \(shape); fetch all at once, with a join or a list of keys"
    }
}

/// How often each shape was seen. Pure.
struct ShapeCounts: Sendable {
    private(set) var shapes: [String: RepeatedQuery] = [:]

    mutating func add(_ shape: String, _ statement: StatementObservation) {
        shapes[
            shape, default: RepeatedQuery(shape: shape, count: 0, nanoseconds: 0, site: statement.site)
        ].count += 1
        shapes[shape]?.nanoseconds += statement.nanoseconds
    }

    /// Those that were seen more often, the most frequent first.
    func above(_ limit: Int) -> [RepeatedQuery] {
        shapes.values.filter { $0.count > limit }.sorted { ($1.count, $0.shape) < ($0.count, $1.shape) }
    }
}

/// Finds statements of one shape that are run more than N times inside one lease, or inside one ``UnitOfWork`` where there
/// is one. Each shape is reported once for each of them, at its end. Batches do not count: they are the cure.
public final class RepeatedQueryDetector: LeaseWatcher {
    private let limit: Int
    private let report: @Sendable (RepeatedQuery) -> Void
    private let leases = Lock<[Int: ShapeCounts]>([:])
    /// Shapes of texts that were seen before. Bounded: it begins anew when it is full.
    private let known = Lock<[String: String]>([:])

    /// - Parameters:
    ///   - limit: repetitions that are still fine.
    ///   - report: called in the borrower's task.
    public init(limit: Int = 10, report: @escaping @Sendable (RepeatedQuery) -> Void) {
        self.limit = max(1, limit)
        self.report = report
    }

    public var interest: WatchInterest { [.leases, .statements] }

    public func statementEnded(_ statement: StatementObservation) {
        guard statement.count == 1, statement.statement.role == .read || statement.statement.role == .write else {
            return
        }
        let shape = shape(of: statement.statement.text)
        if let unit = UnitOfWork.current {
            unit.count(shape, statement, for: self)
        } else {
            leases.withLock { $0[statement.connection, default: ShapeCounts()].add(shape, statement) }
        }
    }

    public func leaseEnded(_ lease: LeaseObservation, _ end: LeaseEnd) {
        guard let counted = leases.withLock({ $0.removeValue(forKey: lease.connection) }) else { return }
        report(counted, unitOfWork: nil)
    }

    func report(_ counted: ShapeCounts, unitOfWork: String?) {
        for var repeated in counted.above(limit) {
            repeated.unitOfWork = unitOfWork
            report(repeated)
        }
    }

    private func shape(of text: String) -> String {
        if let shape = known.withLock({ $0[text] }) { return shape }
        let shape = StatementShape.of(text)
        known.withLock { known in
            if known.count >= 1024 { known.removeAll(keepingCapacity: true) }
            known[text] = shape
        }
        return shape
    }
}
