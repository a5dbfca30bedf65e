import RigModel
import Threading

/// The workload's append table is moved to a small disk, which is then filled. It grows no more.
actor FullTableDisk: Injection {
    /// Much more than the table has; the probe's rows need a part of it.
    private static let bytes = 16 << 20
    private static let limit = Duration.seconds(20)

    private let share: Double
    private var disk: SmallDisk?
    private var ballast = 0

    init(share: Double) { self.share = share }

    private func names(_ statements: any StatementControl) -> (space: String, probe: String) {
        ("\(statements.prefix)_disk", "\(statements.prefix)_probe")
    }

    func inject(on stage: FaultStage) async throws {
        let statements = try stage.needed(stage.statements, .statements)
        let (space, probe) = names(statements)
        let disk = try await SmallDisk.mount("small-disk", bytes: Self.bytes, on: stage)
        self.disk = disk
        for text in [
            "CREATE TABLESPACE \(space) LOCATION '\(disk.path)'",
            "CREATE TABLE \(probe) (id BIGINT) TABLESPACE \(space)",
            "GRANT ALL ON \(probe) TO \(statements.poolRole)",
            // Waits for the statements that are under way, and lets no other in meanwhile: moments.
            "ALTER TABLE \(statements.appendsTable) SET TABLESPACE \(space)",
        ] { try await statements.run(text, within: Self.limit) }
        ballast = try await disk.fill(share)
    }

    func prove(on stage: FaultStage) async -> Landing {
        guard let statements = stage.statements else {
            return Landing(landed: false, evidence: ["reason": "no server"])
        }
        let refusal = await statements.refusalOfPool(
            "INSERT INTO \(names(statements).probe) SELECT generate_series(1, 50000)", within: Self.limit)
        let hasLanded = refusal?.sqlState == "53100"
        var evidence: [JSONValue.Member] = [
            .init("write", .string(refusal?.description ?? "allowed")), .init("ballast_bytes", JSONValue(ballast)),
        ]
        if !hasLanded { evidence.append(.init("reason", "a write of the pool's role found room on the disk")) }
        return Landing(landed: hasLanded, evidence: .object(evidence))
    }

    func heal(on stage: FaultStage) async throws -> JSONValue {
        let statements = try stage.needed(stage.statements, .statements)
        guard let disk else { return ["nothing_to_undo": true] }
        let (space, probe) = names(statements)
        await disk.empty()
        try await Retrying.undo {
            for text in [
                "ALTER TABLE \(statements.appendsTable) SET TABLESPACE pg_default", "DROP TABLE IF EXISTS \(probe)",
                // Waits for a checkpoint where files of it are only marked as removed.
                "DROP TABLESPACE IF EXISTS \(space)",
            ] { try await statements.run(text, within: Self.limit) }
            let left = try await statements.run(
                "SELECT count(*) FROM pg_class WHERE oid = '\(statements.appendsTable)'::regclass AND reltablespace <> 0",
                within: Self.limit)
            guard left.first?.first == "0" else { throw InjectionError("the table is still on the small disk") }
        }
        try await disk.unmount(on: stage)
        self.disk = nil
        return ["table_is_back": true]
    }
}
