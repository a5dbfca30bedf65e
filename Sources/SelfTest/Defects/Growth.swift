import ConnectionPool
import Foundation
import RigModel
import Threading

/// What is taken and never given back, beside connections.
enum Growth {
    static let all: [Defect] = [
        Defect(
            "memory-kept", .growth, "each result is kept for ever", breaks: "flat-memory",
            in: .killed.judging("flat-memory: {at-least: 5s}"), driver: { ResultsKept() }),
        Defect(
            "descriptors-kept", .growth, "now and then a descriptor is opened and never closed",
            breaks: "flat-descriptors", in: .killed.judging("flat-descriptors: {at-least: 5s}"),
            driver: { DescriptorsKept() }),
        Defect(
            "orphans-left", .growth, "a statement that is given up runs on at the server", breaks: "no-orphans",
            in: .cancelled.judging("no-orphans: {grace: 2s}"), driver: { Orphans() }),
    ]
}

private struct ResultsKept: DriverDefect {
    private static let bytes = 256 << 10
    private let kept = Memory<[[UInt8]]>([])

    func execute(
        _ statement: SQLStatement, on connection: PlantedConnection, deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult {
        // Written to, so that it really takes memory.
        kept.withLock { $0.append([UInt8](repeating: 1, count: Self.bytes)) }
        return try await connection.base.execute(statement, deadline: deadline)
    }
}

private struct DescriptorsKept: DriverDefect {
    private let tally = Tally()

    func execute(
        _ statement: SQLStatement, on connection: PlantedConnection, deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult {
        if tally.isEvery(5) { _ = open("/dev/null", O_RDONLY | O_CLOEXEC) }
        return try await connection.base.execute(statement, deadline: deadline)
    }
}

/// Gives up a statement and does not see to it that the server does.
private struct Orphans: DriverDefect {
    private static let settings = [
        "SET client_connection_check_interval = 0", "SET statement_timeout = 0",
    ].map { SQLStatement($0, role: .write) }
    /// Heeds no request to stop.
    private static let statement = SQLStatement(
        """
        DO $$
        DECLARE finish timestamptz := clock_timestamp() + interval '12 s';
        BEGIN
            WHILE clock_timestamp() < finish LOOP
                BEGIN PERFORM pg_sleep(0.1); EXCEPTION WHEN query_canceled THEN NULL; END;
            END LOOP;
        END $$
        """, role: .write)

    private let calls = Tally()
    private let left = Memory(0)

    func execute(
        _ statement: SQLStatement, on connection: PlantedConnection, deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult {
        let base = connection.base
        let isDue = calls.next() >= 50 && statement.role == .read && base.transactionStatus == .idle
        guard isDue, left.withLock({ $0 < 2 }) else {
            return try await base.execute(statement, deadline: deadline)
        }
        // In a task of its own: the client's may be cancelled.
        let wasLeft = await Task { () -> Bool in
            for setting in Self.settings {
                guard (try? await base.execute(setting, deadline: deadline)) != nil else { return false }
            }
            let abandoned = Task {
                _ = try? await base.execute(Self.statement, deadline: .now.advanced(by: .seconds(30)))
            }
            try? await Task.sleep(for: .milliseconds(200))
            base.abort()
            await abandoned.value
            return true
        }.value
        if wasLeft { left.withLock { $0 += 1 } }
        throw DriverError(.timedOut, "planted: given up")
    }
}
