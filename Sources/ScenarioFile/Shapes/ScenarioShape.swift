import RigModel

/// The keys of a scenario file, section by section.
extension SectionShape {
    package static var scenario: SectionShape {
        SectionShape(
            "the scenario", "one run: a database, a pool, load on it, faults, and what must hold",
            [
                .text("name", "names the run folder; default: the file's name without its ending"),
                .section("target", required: true, target),
                .section("pool", pool),
                .section("workload", required: true, workload),
                .section("phases", phases),
                SectionKey(
                    "faults", .faults,
                    "what is broken in the faults phase, and when: a list of faults, each with its schedule"),
                SectionKey(
                    "invariants", .invariants,
                    "what must hold, with its limits; without this key the usual ones (chaosrig list invariants)"),
            ])
    }

    static var target: SectionShape {
        SectionShape(
            "target", "the database under the pool; one of postgres, compose, sqlite",
            [
                SectionKey(
                    "postgres", .valueOrSection([.choice(["managed"])], postgres),
                    "managed: a private server that the run starts and removes; or {url: …} of one that runs"),
                .text("compose", "a service of a compose file that runs PostgreSQL"),
                .text("file", "the compose file; default: docker-compose.yml"),
                .text("sqlite", "temporary: a new database file, removed afterwards; or the path of one"),
                .flag("standby", false, "a second server that follows the managed one, synchronously"),
                .flag("tls", false, "the pool reaches the managed server by TLS, and checks its certificate"),
                .flag("name", false, "the pool looks the managed server up by a name, not by its address"),
                .choice(
                    "pgbouncer", of: Scenario.Pooling.self,
                    "a PgBouncer in front of the managed server, and for how long it lends server connections"),
            ])
    }

    static var postgres: SectionShape {
        SectionShape(
            "target.postgres", "a PostgreSQL server that runs",
            [.text("url", required: true, "a libpq URL, for example ${DATABASE_URL}; passwords are masked in reports")])
    }

    static var phases: SectionShape {
        let phases = Scenario.Phases()
        return SectionShape(
            "phases", "how long each part of the run takes; at most 24h in all",
            [
                .duration("warm-up", phases.warmUp, "load, not measured"),
                .duration("steady", phases.steady, "load without faults: what recovery is compared with"),
                .duration("faults", phases.faults, "load with faults"),
                .duration("settle", phases.settle, "load after the last fault, to recover in"),
            ])
    }

    /// What stands beside a fault, by itself or in a group.
    package static var schedules: [SectionShape] { [fault, randomGroup, randomMember, sequence, sequenceMember] }

    /// A fault that stands for itself, and when it is injected.
    static var fault: SectionShape {
        SectionShape("a fault", "a fault that stands for itself, and when it is injected", schedule + [duration])
    }

    /// One of several faults, drawn anew for each injection.
    static var randomGroup: SectionShape {
        SectionShape("a random group", "one of several faults, drawn anew for each injection", schedule)
    }
    static var randomMember: SectionShape {
        SectionShape(
            "a fault of a random group", "one of those that may be drawn",
            [
                duration,
                SectionKey("weight", .number, "how often it is drawn, beside the others; default: 1").positive(),
            ])
    }

    /// Several faults, one after the other.
    static var sequence: SectionShape {
        SectionShape(
            "a sequence", "several faults, one after the other",
            schedule + [.duration("gap", .zero, "the pause between one fault and the next")])
    }
    static var sequenceMember: SectionShape {
        SectionShape("a fault of a sequence", "one of those that come in turn", [duration])
    }

    private static let schedule: [SectionKey] = [
        .duration(
            "at", "the first injection, counted from the beginning of the faults phase; default: 0s, or one period"),
        .duration("every", "injected again and again, so far apart; default: once").positive(),
        .duration("jitter", .zero, "each injection is moved by up to so much, either way, drawn from the seed"),
        .count("times", "so many injections; default: as many as fit")
            .positive("; leave the fault out instead"),
    ]
    private static let duration = SectionKey.duration(
        "for", "how long a fault lasts that lasts; default: to the end of the faults phase"
    ).positive()
}
