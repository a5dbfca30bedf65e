/// The scenario that `chaosrig init` writes. Pure.
struct ScenarioTemplate {
    enum Target: String, CaseIterable {
        case postgres
        case sqlite
    }

    let target: Target
    /// The schema file that lies beside it.
    let schema: String?
    /// Written where the file's own name cannot name a run folder.
    var name: String?

    private var nameLine: String {
        name.map { "name: \"\($0)\"   # names the run folder; the file's own name cannot" }
            ?? "# name: checkout           # names the run folder; without it the file's name does"
    }

    var text: String {
        (schema.map { "# yaml-language-server: $schema=\($0)\n" } ?? "") + head + Self.middle + faults + Self.end
    }

    private var head: String {
        switch target {
        case .postgres:
            """
            # The database server crashes under load and comes back after two seconds.
            # Green proves: nothing leaked, no acknowledged write was lost or doubled, the pool was back in time, and nobody
            # waited past a deadline. Change what is here to what your service does; chaosrig validate checks the file.

            \(nameLine)

            target:
              postgres: managed        # a private server that the run starts and removes
              # postgres: {url: "${DATABASE_URL}"}   # one that runs; faults that need its host then cannot be injected
              # sqlite: temporary      # no server at all

            """
        case .sqlite:
            """
            # Somebody else holds the write lock of the database file for a second, as a backup or a migration does.
            # Green proves: writers wait or fail in time and never twice, nothing leaked, and the pool was back in time.
            # Change what is here to what your service does; chaosrig validate checks the file.

            \(nameLine)

            target:
              sqlite: temporary        # a new database file, removed afterwards
              # postgres: managed      # a private PostgreSQL server; needs one to be installed (chaosrig doctor)

            """
        }
    }

    private static let middle = """

        pool:
          max-open: 10             # connections at the most
          min-idle: 10             # kept open, also when nobody needs them
          acquire-timeout: 2s      # how long a caller waits for a connection
          # max-lifetime: 30m      # chaosrig list settings shows every setting and its default

        workload:
          clients: 16              # callers at the same time
          rate: 200/s              # operations a second in all; without it as fast as they can
          mix:                     # what they do, and how often: chaosrig list workloads
            append: 60
            read: 30
            transfer: 10

        phases:
          warm-up: 2s              # not measured
          steady: 4s               # what recovery is compared with
          faults: 8s               # the faults below, counted from its beginning
          settle: 6s               # time to recover in


        """

    private var faults: String {
        switch target {
        case .postgres:
            """
            faults:                    # chaosrig list faults
              - restart: {mode: immediate, down-for: 2s}
                at: 2s
              # - kill-connections: {count: 50%}
              #   at: 6s

            """
        case .sqlite:
            """
            faults:                    # chaosrig list faults
              - lock-database: {}
                at: 2s
                for: 1s

            """
        }
    }

    private static let end = """

        invariants:                # chaosrig list invariants; a run fails when one of them does
          zero-leaked-connections: {}
          retry-correctness: {}
          recovery: {within: 5s, throughput: 90%}
          timeouts: {tolerance: 500ms}
          # thresholds:            # your own limits
          #   acquire.p99: < 50ms in fault none
          #   errors: < 1% in fault none

        """
}
