import RigModel

extension SectionShape {
    static var pool: SectionShape {
        let pool = Scenario.Pool()
        return SectionShape(
            "pool", "the pool under test",
            [
                .choice(
                    "process", pool.process,
                    "where the pool lives; child: in a process of its own, which faults can stop"),
                SectionKey("adapter", .words, "somebody else's pool: the command of its adapter (docs/adapter.md)"),
                .count("instances", pool.instances, "so many pools side by side, each with all that follows")
                    .positive(),
                .count("max-open", pool.maxOpen, "connections at the most").positive(),
                .count("min-idle", pool.minIdle, "idle connections to keep open"),
                .count("max-idle", "idle connections at the most; default: max-open"),
                .count("max-waiters", "callers that may wait at the same time; default: no limit"),
                .duration("max-lifetime", "a connection that is older is replaced; default: never").positive(
                    "; leave it out for no limit"),
                .share("max-lifetime-jitter", pool.maxLifetimeJitter, "max-lifetime is shortened by up to this share"),
                .duration("max-idle-time", "a connection that idles for longer is closed; default: never").positive(
                    "; leave it out for no limit"),
                .duration("acquire-timeout", pool.acquireTimeout, "how long a caller waits for a connection")
                    .positive(),
                .duration("connect-timeout", pool.connectTimeout, "how long one connect may take").positive(),
                .duration("statement-timeout", pool.statementTimeout, "how long one statement may take").positive(),
                .flag(
                    "server-statement-timeout", pool.tellsServerStatementTimeout,
                    "the server is told statement-timeout, too"),
                .duration("check-timeout", pool.checkTimeout, "how long the check of a connection may take").positive(),
                .duration("release-timeout", pool.releaseTimeout, "how long reset and close of a connection may take")
                    .positive(),
                .duration("close-timeout", pool.closeTimeout, "how long the pool waits for borrowers when it closes")
                    .positive(),
                .duration(
                    "check-after-idle", pool.checkAfterIdle,
                    "a connection that idled for so long is checked before it is lent"),
                .duration(
                    "health-check-interval", pool.healthCheckInterval, "how often idle connections are looked at"
                ).positive(),
                .duration("leak-threshold", "a lease that is held for longer is reported; default: none is").positive(
                    "; leave it out for no limit"),
                .choice("idle-order", pool.idleOrder, "which idle connection is lent first"),
                .choice("reset", pool.reset, "what a connection that comes back is cleaned of"),
                .count("max-connecting", pool.maxConnecting, "connects at the same time").positive(),
                .duration(
                    "breaker-after", pool.breakerAfter,
                    "when connects have failed for so long and none is open, acquires fail at once"
                ).positive(),
                .section("reconnect-backoff", backoff),
                .choice(
                    "commit-doubt", pool.commitDoubt,
                    "when the answer to a COMMIT is lost: report it, or ask the server"),
                .choice(
                    "retry", pool.retry,
                    "safe: what was certainly not applied, and idempotent operations; blind is wrong on purpose"),
                .count("retry-attempts", pool.retryAttempts, "attempts at one operation, with the first (1 to 15)")
                    .positive(),
                .duration("retry-budget", pool.retryBudget, "how long one operation may be retried"),
            ])
    }

    private static var backoff: SectionShape {
        let pool = Scenario.Pool()
        return SectionShape(
            "pool.reconnect-backoff", "pauses between connects that fail, doubled each time",
            [
                .duration("first", pool.backoffFirst, "the first pause"),
                .duration("cap", pool.backoffCap, "the longest pause"),
            ])
    }
}
