/// What is said about the program as a whole.
enum ProgramText {
    static let summary = "does your connection handling survive production?"

    static let details = [
        "chaosrig starts a database, puts load on a connection pool, injects faults, and judges from the history of the run "
            + "whether the pool kept its promises: nothing leaked, no acknowledged write lost or doubled, back in time, "
            + "nobody waited past a deadline."
    ]

    static let exitCodes: [(code: String, meaning: String)] = [
        ("0", "every invariant valid"), ("1", "an invariant is violated"), ("2", "usage or scenario error"),
        ("3", "this machine lacks something"), ("4", "inconclusive"), ("5", "something could not be cleaned up"),
        ("70", "internal error"), ("130, 143", "interrupted"),
    ]

    /// Variables that every command respects.
    static let environment = [
        Word("NO_COLOR", "set and not empty: no colours"),
        Word("CI", "set and not empty: plain lines instead of a line that is redrawn"),
        Word("TERM", "dumb, or not set: the same"),
        Word("COLUMNS", "the width of the terminal, where it cannot be asked"),
        Word("GITHUB_ACTIONS", "true: annotations for findings, as commands of GitHub Actions"),
        Word("GITHUB_STEP_SUMMARY", "a file to which the summary of each run is appended, in Markdown"),
        Word("CHAOSRIG_PG_BINDIR", "the folder of postgres and initdb, before any other"),
        Word("CHAOSRIG_STAGE", "none: faults stay on the machine's own network; those that cannot are refused"),
        Word("LOG_LEVEL", "debug, info, warn or error: what chaosrig proxy logs; info without it"),
    ]

    static let files = [
        Word(
            "runs/NAME/TIME-SEED/",
            "what a run leaves: scenario.yaml, history.jsonl, report.html, report.json and junit.xml; also server.log or pool.log, "
                + "where the rig started a server or a pool"),
        Word(
            "runs/NAME/TIME-SEED/journal.jsonl",
            "what the run changed on this machine and how each is undone, written before; chaosrig heal reads it"),
        Word(
            "runs/NAME/TIME-SEED/soak.json", "what a soak knows so far, beside its report.md and windows/NNNN"),
        Word("runs/NAME/latest", "a link to the last one"),
        Word("runs/results.db", "every run's numbers, for chaosrig report --trend and compare"),
    ]
}
