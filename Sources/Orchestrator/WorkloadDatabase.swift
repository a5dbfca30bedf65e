import ConnectionPool
import RigModel
import Workloads

/// The workload's tables, through the rig's own connection: created before, read after, dropped at the end.
struct WorkloadDatabase<D: Driver>: Sendable {
    private static var rowsPerPart: Int { 5_000 }

    let admin: AdminSession<D>
    let schema: WorkloadSchema
    /// Of each statement here; none of them waits for the workload.
    var statementLimit = Duration.seconds(30)

    func prepare(_ sink: any EventSink) async throws(RunError) {
        do {
            for statement in schema.setUp { _ = try await admin.run(statement, within: statementLimit) }
        } catch {
            throw .cannotProceed("cannot create the workload's tables: \(error)")
        }
        sink.record(
            .info, .probe, "accounts",
            [
                "accounts": JSONValue(schema.accountCount),
                "total": JSONValue(schema.accountCount * WorkloadSchema.openingBalance),
            ])
    }

    /// New tables in place of the old ones: a write of the last round that comes late finds nothing to write to.
    func prepareAgain(_ sink: any EventSink) async throws(RunError) {
        do {
            for statement in schema.tearDown { _ = try await admin.run(statement, within: statementLimit) }
        } catch {
            throw .cannotProceed("cannot replace the workload's tables: \(error)")
        }
        try await prepare(sink)
    }

    /// Records every appended id, in parts, and the sum of all balances.
    func readFinalState(_ sink: any EventSink) async throws(DriverError) {
        var ids: [JSONValue] = []
        while true {
            let part = try await admin.run(
                schema.appendedIDs(limit: Self.rowsPerPart, offset: ids.count), within: statementLimit)
            ids += part.rows.map { $0.first?.intValue.map(JSONValue.int) ?? .null }
            if part.rows.count < Self.rowsPerPart { break }
        }
        let parts = max(1, (ids.count + Self.rowsPerPart - 1) / Self.rowsPerPart)
        for part in 0..<parts {
            let rows = ids.dropFirst(part * Self.rowsPerPart).prefix(Self.rowsPerPart)
            sink.record(
                .info, .probe, "final-appends",
                ["ids": .array(Array(rows)), "part": JSONValue(part), "parts": JSONValue(parts)])
        }
        let balances = try await admin.run(schema.balances, within: statementLimit).rows
            .compactMap { $0.first?.intValue }
        sink.record(
            .info, .probe, "final-balances",
            [
                "accounts": JSONValue(balances.count), "total": JSONValue(balances.reduce(0, +)),
                "negative": JSONValue(balances.count { $0 < 0 }),
            ])
    }

    /// - Returns: what could not be dropped, with the statement that would.
    func dropTables() async -> [String] {
        var left: [String] = []
        for statement in schema.tearDown {
            do {
                _ = try await admin.run(statement, within: statementLimit)
            } catch {
                left.append("a table of this run (\(error)); remove it with: \(statement.text)")
            }
        }
        return left
    }
}
