import RigModel

extension SectionShape {
    static var workload: SectionShape {
        let workload = Scenario.Workload()
        return SectionShape(
            "workload", "who uses the pool, how often, and for what",
            [
                .count("clients", workload.clients, "users of the pool at the same time").positive(
                    ": without clients nothing is tested"),
                SectionKey(
                    "rate", .value([.rate]),
                    "operations a second in all: open model, latency counts from the scheduled start; default: closed model"
                ).positive("; leave it out for a closed model"),
                .duration(
                    "max-lag", workload.maxLag,
                    "open model: an operation that could not start for so long is dropped and counted"),
                .duration(
                    "statement-time", workload.statementTime,
                    "how long each main statement takes on the server (PostgreSQL)"),
                .count("accounts", workload.accounts, "rows that operations choose from")
                    .least(2, "at least 2 was expected: a transfer needs two"),
                .choice("isolation", of: Scenario.Isolation.self, "of transactions; default: the database's own"),
                .count("distinct-statements", workload.distinctStatements, "different texts of the same read")
                    .positive(),
                .flag("prepared", workload.prepared, "statements that come again are prepared"),
                SectionKey(
                    "mix", .mix, isRequired: true, "operation kinds and their weights (chaosrig list workloads)"),
                .section("behaviour", behaviour),
            ])
    }

    static var behaviour: SectionShape {
        let path = "workload.behaviour"
        return SectionShape(
            path, "what clients do beside their operations; shares are of all operations",
            [
                SectionKey(
                    "cancel",
                    .valueOrSection(
                        [.share],
                        SectionShape(
                            "\(path).cancel", "the caller gives up",
                            [
                                .share("share", required: true, "of the operations").positive(never),
                                .choice("at", of: CancelMoment.self, "the moment; default: drawn for each"),
                            ])), "the caller gives up: a share of the operations, or {share: …, at: …}"
                ).positive(never),
                .share("throw", 0, "the caller's own code throws while it holds the connection").positive(
                    "; leave it out for never"),
                .share("abandon-transaction", 0, "a transaction is begun, and neither committed nor rolled back")
                    .positive("; leave it out for never"),
                .share("abandon-result", 0, "a result is read in part only (PostgreSQL)").positive(
                    "; leave it out for never"),
                .share("nested", 0, "a second connection is asked for while the first is held").positive(
                    "; leave it out for never"),
                .section(
                    "hold",
                    SectionShape(
                        "\(path).hold", "the connection is kept, idle, after the operation",
                        [
                            .share("share", required: true, "of the operations").positive(never),
                            .duration("for", required: true, "for so long").positive(),
                        ])),
                .section(
                    "residue",
                    SectionShape(
                        "\(path).residue", "what is left on the connection (PostgreSQL)",
                        Residue.allCases.map { .share($0.rawValue, "of the operations").positive(never) })),
                .section(
                    "burst",
                    SectionShape(
                        "\(path).burst", "many times the load, for a while, again and again",
                        [
                            .count("factor", required: true, "so many times the load, at least 2")
                                .least(2, "so many times the load, at least 2, was expected")
                        ] + window)),
                .section(
                    "quiet", SectionShape("\(path).quiet", "no load at all, for a while, again and again", window)),
                .section(
                    "probe",
                    SectionShape(
                        "\(path).probe",
                        "a client of its own asks whether the database answers, as a health check does",
                        [
                            .duration("every", required: true, "how often").positive(),
                            .duration("limit", required: true, "then it gives up").positive(),
                        ])),
                .section(
                    "reopen",
                    SectionShape(
                        "\(path).reopen", "the program closes its pool under load and opens a new one",
                        [
                            .duration("at", required: true, "since the workload's start").positive(),
                            .count("in-flight", 1, "while so many operations are under way"),
                        ])),
            ])
    }

    private static let never = "; leave it out for never"

    private static var window: [SectionKey] {
        [
            .duration("every", required: true, "how often").positive(),
            .duration("for", required: true, "for how long; less than every").positive(),
        ]
    }
}
