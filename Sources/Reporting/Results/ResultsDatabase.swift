/// `runs/results.db`: every run, for the trend over them. SQLite in WAL mode; several rigs may file at the same time. For one
/// thread at a time; every call may wait for the lock of another process, a minute at most.
package final class ResultsDatabase {
    /// Beside the run folders.
    package static let fileName = "results.db"
    private static let patienceSeconds = 60

    private let file: SQLiteFile
    package var path: String { file.path }

    /// Opens the database; makes it where there is none.
    ///
    /// - Parameter mayCreate: no: a reader, which must not leave an empty database where somebody mistyped a folder.
    /// - Throws: ``ResultsError``. The file is then as it was.
    package init(path: String, mayCreate: Bool) throws(ResultsError) {
        file = try SQLiteFile(path: path, mayCreate: mayCreate, patienceSeconds: Self.patienceSeconds)
        if try isCurrent() { return }
        guard mayCreate else { throw .noDatabase(path: path) }
        try create()
    }

    /// - Returns: no for an empty file.
    private func isCurrent() throws(ResultsError) -> Bool {
        // Another rig may make it at this moment, whole: what is asked last says whose it is.
        let tables = try number("SELECT count(*) FROM sqlite_schema")
        let version = try number("PRAGMA user_version")
        let application = try number("PRAGMA application_id")
        if application == ResultsSchema.applicationID {
            guard version <= ResultsSchema.version else {
                throw .tooNew(path: path, format: Int(version), known: ResultsSchema.version)
            }
            return true
        }
        guard tables == 0, version == 0, application == 0 else {
            throw .foreign(path: path)
        }
        return false
    }

    private func number(_ sql: String) throws(ResultsError) -> Int64 { try file.run(sql).first?.first?.int ?? 0 }

    private func create() throws(ResultsError) {
        // Readers and the writer then do not wait for each other. A file system that cannot do it stays with the journal; while
        // another rig makes the file this is busy at once, and that rig does it.
        _ = try? file.run("PRAGMA journal_mode=WAL")
        try file.transaction { () throws(ResultsError) in
            // Another rig may have been first.
            if try isCurrent() { return }
            try file.execute(ResultsSchema.creation)
            try file.execute(
                "PRAGMA application_id=\(ResultsSchema.applicationID); PRAGMA user_version=\(ResultsSchema.version)")
        }
    }

    // MARK: Writing

    /// Files the run, whole or not at all. One that is there already (same folder, start and seed) is replaced and keeps its number.
    ///
    /// - Returns: its number.
    @discardableResult
    package func file(_ run: FiledRun) throws(ResultsError) -> Int64 {
        try file.transaction { () throws(ResultsError) in
            try file.run(
                "INSERT INTO scenarios VALUES (?, ?) ON CONFLICT DO NOTHING",
                [.text(run.scenarioHash), .text(run.scenarioText)])
            let id = try fileHead(run)
            for table in ["invariants", "operations", "recoveries", "measures"] {
                try file.run("DELETE FROM \(table) WHERE run_id = ?", [.int(id)])
            }
            for (position, invariant) in run.invariants.enumerated() {
                try file.run(
                    "INSERT INTO invariants VALUES (?, ?, ?, ?, ?)",
                    [
                        .int(id), .init(position), .text(invariant.name), .text(invariant.verdict),
                        .init(invariant.findings),
                    ])
            }
            for (position, operation) in run.operations.enumerated() {
                try file.run(
                    "INSERT INTO operations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    [
                        .int(id), .init(position), .text(operation.kind), .init(operation.ok), .init(operation.fail),
                        .init(operation.info), .init(operation.p50), .init(operation.p90), .init(operation.p99),
                        .init(operation.p999), .init(operation.max),
                    ])
            }
            for (position, recovery) in run.recoveries.enumerated() {
                try file.run(
                    "INSERT INTO recoveries VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    [
                        .int(id), .init(position), .text(recovery.fault), .init(recovery.firstOkSeconds),
                        .init(recovery.fullPoolSeconds), .init(recovery.throughputSeconds), .init(recovery.p95Seconds),
                        .init(recovery.lostOperations),
                    ])
            }
            for (position, measure) in run.measures.enumerated() {
                try file.run(
                    "INSERT INTO measures VALUES (?, ?, ?, ?)",
                    [.int(id), .init(position), .text(measure.name), .real(measure.value)])
            }
            return id
        }
    }

    private static let head = """
        folder, started_at, seed, scenario, scenario_hash, duration_s, verdict, exit_code, commit_id, dirty, host, cpu, \
        machine, cores, kernel, server, rig, build
        """

    private func fileHead(_ run: FiledRun) throws(ResultsError) -> Int64 {
        let origin = run.origin
        let values: [SQLiteFile.Value] = [
            .text(run.folder), .text(run.startedAt), .text(run.seed), .text(run.scenario), .text(run.scenarioHash),
            .real(run.durationSeconds), .text(run.verdict), .init(run.exitCode), .init(origin.commit),
            .init(origin.isDirty), .init(origin.host), .init(origin.cpu), .init(origin.machine), .init(origin.cores),
            .init(origin.kernel), .init(origin.server), .init(origin.rig), .init(origin.build),
        ]
        let places = values.map { _ in "?" }.joined(separator: ", ")
        let updates = Self.head.split(separator: ", ").map { "\($0) = excluded.\($0)" }.joined(separator: ", ")
        let rows = try file.run(
            """
            INSERT INTO runs (\(Self.head)) VALUES (\(places))
            ON CONFLICT (folder, started_at, seed) DO UPDATE SET \(updates) RETURNING id
            """, values)
        guard let id = rows.first?.first?.int else { throw .damaged(path: path, reason: "a run got no number") }
        return id
    }

    // MARK: Reading

    /// The names of the scenarios that are still run, by name: in the last days before the newest run of all. Else one that was
    /// renamed would keep its last trend for ever.
    package func scenarios(ofLastDays days: Int) throws(ResultsError) -> [String] {
        let sql = """
            SELECT scenario FROM runs GROUP BY scenario \
            HAVING julianday(max(started_at)) >= julianday((SELECT max(started_at) FROM runs)) - ? ORDER BY scenario
            """
        return try file.run(sql, [.init(days)]).compactMap { $0.first?.text }
    }

    /// The names of all scenarios that were run, by name.
    package func scenarios() throws(ResultsError) -> [String] {
        try file.run("SELECT DISTINCT scenario FROM runs ORDER BY scenario").compactMap { $0.first?.text }
    }

    /// The last runs of a scenario, oldest first.
    package func runs(of scenario: String, last: Int) throws(ResultsError) -> [FiledRun] {
        try runs("WHERE scenario = ? ORDER BY started_at DESC, id DESC LIMIT ?", [.text(scenario), .init(last)])
            .reversed()
    }

    /// What a trend over so many runs of a scenario needs (``Trend/needed(_:last:)``), oldest first.
    package func comparableRuns(of scenario: String, last: Int) throws(ResultsError) -> [FiledRun] {
        // One column more: interrupted or not is among the numbers.
        let rows = try file.run(
            """
            SELECT id, \(Self.head), '', \
            (SELECT value FROM measures WHERE run_id = runs.id AND name = '\(FiledRun.interrupted)') \
            FROM runs WHERE scenario = ? ORDER BY started_at DESC, id DESC
            """, [.text(scenario)])
        let heads = rows.map { row in
            var run = FiledRun(row: row)
            if let value = row[20].real { run.measures = [.init(name: FiledRun.interrupted, value: value)] }
            return run
        }
        let wanted = Set(Trend.needed(heads, last: last).map(\.id))
        var found: [FiledRun] = []
        for head in heads.reversed() where wanted.contains(head.id) {
            found.append(try run(id: head.id))
        }
        return found
    }

    /// - Throws: ``ResultsError/noSuchRun(wanted:path:)``.
    package func run(id: Int64) throws(ResultsError) -> FiledRun {
        guard let run = try runs("WHERE id = ?", [.int(id)]).first else {
            throw .noSuchRun(wanted: "number \(id)", path: path)
        }
        return run
    }

    /// The newest run; of one scenario where it is named.
    ///
    /// - Throws: ``ResultsError/noSuchRun(wanted:path:)``.
    package func latest(of scenario: String? = nil) throws(ResultsError) -> FiledRun {
        let condition = scenario == nil ? "" : "WHERE scenario = ?"
        let found = try runs(
            "\(condition) ORDER BY started_at DESC, id DESC LIMIT 1", scenario.map { [.text($0)] } ?? [])
        guard let run = found.first else {
            throw .noSuchRun(wanted: scenario.map { "of scenario \($0)" } ?? "at all", path: path)
        }
        return run
    }

    private func runs(_ condition: String, _ values: [SQLiteFile.Value]) throws(ResultsError) -> [FiledRun] {
        let rows = try file.run(
            "SELECT id, \(Self.head), (SELECT text FROM scenarios WHERE hash = scenario_hash) FROM runs \(condition)",
            values)
        var runs: [FiledRun] = []
        for row in rows { runs.append(try details(of: FiledRun(row: row))) }
        return runs
    }

    private func details(of head: FiledRun) throws(ResultsError) -> FiledRun {
        var run = head
        func rows(_ table: String) throws(ResultsError) -> [[SQLiteFile.Value]] {
            try file.run("SELECT * FROM \(table) WHERE run_id = ? ORDER BY position", [.int(run.id)])
        }
        run.invariants = try rows("invariants").map { row in
            .init(name: row[2].text ?? "", verdict: row[3].text ?? "", findings: Int(row[4].int ?? 0))
        }
        run.operations = try rows("operations").map { row in
            .init(
                kind: row[2].text ?? "", ok: Int(row[3].int ?? 0), fail: Int(row[4].int ?? 0),
                info: Int(row[5].int ?? 0), p50: row[6].real, p90: row[7].real, p99: row[8].real, p999: row[9].real,
                max: row[10].real)
        }
        run.recoveries = try rows("recoveries").map { row in
            .init(
                fault: row[2].text ?? "", firstOkSeconds: row[3].real, fullPoolSeconds: row[4].real,
                throughputSeconds: row[5].real, p95Seconds: row[6].real, lostOperations: row[7].int.map(Int.init))
        }
        run.measures = try rows("measures").map { row in .init(name: row[2].text ?? "", value: row[3].real ?? 0) }
        return run
    }
}

extension FiledRun {
    /// - Parameter row: id, the columns of `ResultsDatabase.head`, the scenario's text.
    fileprivate init(row: [SQLiteFile.Value]) {
        var origin = RunOrigin()
        origin.commit = row[9].text
        origin.isDirty = row[10].int.map { $0 != 0 }
        origin.host = row[11].text
        origin.cpu = row[12].text
        origin.machine = row[13].text
        origin.cores = row[14].int.map(Int.init)
        origin.kernel = row[15].text
        origin.server = row[16].text
        origin.rig = row[17].text
        origin.build = row[18].text
        self.init(
            id: row[0].int ?? 0, folder: row[1].text ?? "", scenario: row[4].text ?? "",
            scenarioHash: row[5].text ?? "", scenarioText: row[19].text ?? "", seed: row[3].text ?? "",
            startedAt: row[2].text ?? "", durationSeconds: row[6].real ?? 0, verdict: row[7].text ?? "",
            exitCode: Int(row[8].int ?? 0), origin: origin, invariants: [], operations: [], recoveries: [],
            measures: [])
    }
}
