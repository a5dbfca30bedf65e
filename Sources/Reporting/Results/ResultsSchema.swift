/// The tables of `results.db`, for whoever wants to ask it with `sqlite3`, too.
enum ResultsSchema {
    /// `PRAGMA user_version`: counts up whenever a reader of the old one would go wrong.
    static let version = 1
    /// `PRAGMA application_id`: "chrg".
    static let applicationID: Int64 = 0x6368_7267

    /// What brings an empty file to ``version``.
    static let creation = """
        CREATE TABLE scenarios (
            hash TEXT PRIMARY KEY,           -- SHA-256 of the text
            text TEXT NOT NULL               -- resolved, as scenario.yaml in the run folder
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE runs (
            id INTEGER PRIMARY KEY,
            folder TEXT NOT NULL,            -- relative to this file where it lies below it
            started_at TEXT NOT NULL,        -- RFC 3339, UTC
            seed TEXT NOT NULL,
            scenario TEXT NOT NULL,
            scenario_hash TEXT NOT NULL REFERENCES scenarios(hash),
            duration_s REAL NOT NULL,
            verdict TEXT NOT NULL,           -- valid, invalid, unknown
            exit_code INTEGER NOT NULL,
            commit_id TEXT, dirty INTEGER,   -- of the source that was tested; null: nobody knows
            host TEXT, cpu TEXT, machine TEXT, cores INTEGER, kernel TEXT, server TEXT, rig TEXT, build TEXT,
            UNIQUE (folder, started_at, seed)
        ) STRICT;
        CREATE INDEX runs_by_scenario ON runs (scenario, started_at);
        CREATE TABLE invariants (
            run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, position INTEGER NOT NULL,
            name TEXT NOT NULL, verdict TEXT NOT NULL, findings INTEGER NOT NULL,
            PRIMARY KEY (run_id, position)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE operations (
            run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, position INTEGER NOT NULL,
            kind TEXT NOT NULL, ok INTEGER NOT NULL, fail INTEGER NOT NULL, info INTEGER NOT NULL,
            p50_ms REAL, p90_ms REAL, p99_ms REAL, p999_ms REAL, max_ms REAL,
            PRIMARY KEY (run_id, position)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE recoveries (            -- seconds since the heal; null: not within the run
            run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, position INTEGER NOT NULL,
            fault TEXT NOT NULL, first_ok_s REAL, full_pool_s REAL, throughput_s REAL, p95_s REAL, lost_ops INTEGER,
            PRIMARY KEY (run_id, position)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE measures (              -- everything else with a number: peak_rss_bytes, steady_ok_per_s, …
            run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, position INTEGER NOT NULL,
            name TEXT NOT NULL, value REAL NOT NULL,
            PRIMARY KEY (run_id, position)
        ) STRICT, WITHOUT ROWID;
        """
}
