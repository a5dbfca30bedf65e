/// Scenarios for runs that are ended at any moment: together they use every family of faults.
enum Campaign {
    static let all = [server, stalls, statements, relay, packets, client, pooler, sqlite]

    private static func scenario(_ target: String, _ faults: String, pool: String = "") -> String {
        """
        name: campaign
        target: \(target)
        pool: {max-open: 4\(pool)}
        workload: {clients: 4, rate: 100/s, mix: {append: 50, read: 30, transfer: 20}}
        phases: {warm-up: 200ms, steady: 300ms, faults: 30s, settle: 1s}
        faults:
        \(faults)
        invariants:
          zero-leaked-connections: {}

        """
    }

    private static let server = scenario(
        "{postgres: managed}",
        """
          - random:
              - restart: {mode: immediate, down-for: 300ms}
              - restart: {mode: crash, down-for: 300ms}
              - kill-connections: {}
            at: 0s
            every: 800ms
        """)

    private static let stalls = scenario(
        "{postgres: managed}",
        """
          - random:
              - freeze: {what: server}
                for: 400ms
              - freeze: {what: postmaster}
                for: 400ms
              - slots-exhausted: {}
                for: 400ms
              - read-only: {}
                for: 400ms
              - refuse-authentication: {}
                for: 400ms
              - disk-full: {what: data}
                for: 400ms
              - starting-up: {hold: 400ms}
            at: 0s
            every: 1500ms
        """)

    private static let statements = scenario(
        "{postgres: managed}",
        """
          - random:
              - lock-contention: {}
                for: 400ms
              - slow-statements: {delay: 50ms}
                for: 400ms
              - statement-timeout: {after: 5ms}
                for: 400ms
              - cancel-statements: {}
              - max-lifetime: {max-age: 100ms}
                for: 400ms
            at: 0s
            every: 900ms
        """, pool: ", server-statement-timeout: false")

    private static let relay = scenario(
        "{postgres: managed}",
        """
          - random:
              - latency: {latency: 20ms}
                for: 300ms
              - blackhole: {}
                for: 300ms
              - reset: {}
            at: 0s
            every: 500ms
        """)

    private static let packets = scenario(
        "{postgres: managed}",
        """
          - random:
              - blackhole: {connections: new}
                for: 300ms
              - packet-loss: {share: 20%}
                for: 300ms
              - latency: {latency: 20ms}
                for: 300ms
              - link-down: {}
                for: 300ms
            at: 0s
            every: 900ms
        """)

    private static let client = scenario(
        "{postgres: managed}",
        """
          - random:
              - client-pause: {}
                for: 300ms
              - client-kill: {restart-after: 200ms}
              - client-cpu: {share: 50%}
                for: 300ms
              - client-descriptors: {left: 1}
                for: 300ms
            at: 0s
            every: 1500ms
        """, pool: ", process: child")

    private static let pooler = scenario(
        "{postgres: managed, pgbouncer: transaction}",
        """
          - random:
              - pgbouncer-restart: {down-for: 300ms}
              - pgbouncer-kill: {down-for: 300ms}
              - pgbouncer-pause: {}
                for: 300ms
              - pgbouncer-reconnect: {}
              - pgbouncer-lifetime: {server-lifetime: 100ms}
                for: 500ms
            at: 0s
            every: 800ms
        """)

    private static let sqlite = scenario(
        "{sqlite: temporary}",
        """
          - random:
              - lock-database: {}
                for: 500ms
              - busy-storm: {hold: 50ms, every: 100ms}
                for: 500ms
              - checkpoint-starvation: {}
                for: 500ms
            at: 0s
            every: 1s
        """)
}
