/// Sessions that wait for a lock of somebody, as the server tells it.
enum LockWaiters {
    private static let limit = Duration.seconds(5)

    /// How many sessions wait, directly or behind others, for what the backend holds or wants.
    static func count(of pid: Int32, by statements: any StatementControl) async throws(StatementFailure) -> Int {
        try await pids(of: [pid], by: statements).count
    }

    static func pids(
        of blockers: [Int32], by statements: any StatementControl
    ) async throws(StatementFailure) -> [Int32] {
        let list = blockers.map { "\($0)" }.joined(separator: ", ")
        let rows = try await statements.run(
            """
            SELECT pid FROM pg_stat_activity
            WHERE wait_event_type = 'Lock' AND pg_blocking_pids(pid) && ARRAY[\(list)]::int[] AND NOT pid IN (\(list))
            ORDER BY pid
            """, within: limit)
        return rows.compactMap { $0.first.flatMap { $0 }.flatMap { Int32($0) } }
    }

    /// Ends a session of a fault, and never anybody else who has its pid by now.
    static func end(_ pid: Int32, by statements: any StatementControl) async throws(StatementFailure) {
        try await statements.run(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE pid = \(pid) AND application_name LIKE 'chaosrig-fault/%'
            """, within: limit)
    }

    /// Waits until nobody is blocked by these backends any more.
    ///
    /// - Throws: when somebody still is after 15 s.
    static func waitUntilNone(of blockers: [Int32], by statements: any StatementControl) async throws {
        try await Retrying.undo {
            let left = try await pids(of: blockers, by: statements)
            guard left.isEmpty else {
                throw InjectionError("sessions \(left) still wait for a lock of \(blockers) after the fault")
            }
        }
    }
}
