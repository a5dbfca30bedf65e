import Foundation
import RigModel
import Testing

@testable import ScenarioFile

@Test func leftOutKeysHaveTheDocumentedDefaults() throws {
    let scenario = try load(minimal)
    #expect(scenario.name == "x")
    #expect(scenario.summary == "What it breaks. What green proves.")
    #expect(scenario.target == .temporarySQLite)
    #expect(scenario.pool == Scenario.Pool())
    #expect(scenario.workload.clients == 32)
    #expect(scenario.faults.isEmpty)
    #expect(scenario.invariants.map(\.name) == ["recovery", "no-leaks"])
    #expect(scenario.invariants[0].parameters.duration("within") == .seconds(5))
}

@Test func everySectionIsRead() throws {
    let scenario = try load(
        """
        name: full
        target: {postgres: {url: "postgres://u:p@127.0.0.1/db"}}
        pool:
          max-open: 5
          min-idle: 2
          acquire-timeout: 1500ms
          max-lifetime: 1h
          reconnect-backoff: {first: 5ms, cap: 250ms}
          retry: blind
          check-timeout: 300ms
          server-statement-timeout: false
          idle-order: round-robin
          reset: full
          breaker-after: 7s
        workload: {clients: 10_000, rate: 30/min, mix: {append: 2.5, read: 0.1}, statement-time: 0s}
        phases: {warm-up: 1s, steady: 2s, faults: 3s, settle: 4s}
        faults:
          - stumble: {count: 50%, mode: hard}
            every: 1s
            jitter: 250us
            times: 2
          - fog: {density: 20ms}
            at: 500ms
            for: 1s
        invariants:
          recovery: {within: 3s, throughput: 80%}
        """)
    #expect(scenario.target == .postgres(url: "postgres://u:p@127.0.0.1/db"))
    #expect(scenario.pool.acquireTimeout == .milliseconds(1500))
    #expect(scenario.pool.backoffCap == .milliseconds(250))
    #expect(scenario.pool.retry == .blind)
    #expect(scenario.pool.checkTimeout == .milliseconds(300))
    #expect(!scenario.pool.tellsServerStatementTimeout)
    #expect(scenario.pool.idleOrder == .roundRobin)
    #expect(scenario.pool.reset == .full)
    #expect(scenario.pool.breakerAfter == .seconds(7))
    #expect(scenario.workload.clients == 10_000)
    #expect(scenario.workload.rate == 0.5)
    #expect(scenario.workload.mix.map(\.weight) == [2.5, 0.1])
    #expect(scenario.phases.settle == .seconds(4))
    #expect(scenario.faults[0].parameters["count"] == .share(0.5))
    #expect(scenario.faults[0].schedule.at == .seconds(1), "every without at begins after one period")
    #expect(scenario.faults[0].schedule.jitter == .microseconds(250))
    #expect(scenario.faults[1].schedule.duration == .seconds(1))
    #expect(scenario.invariants.map(\.name) == ["recovery"])
}

@Test func variablesAreExpandedInValuesOnly() throws {
    let scenario = try load(
        minimal.replacing("temporary", with: "\"${DIR:-/tmp}/${NAME}$$.db\""), environment: ["NAME": "a"])
    #expect(scenario.target == .sqlite(path: "/tmp/a$.db"))
    #expect(
        complaint(minimal.replacing("temporary", with: "\"${NOPE}\"")).contains(
            "x.yaml:3:18: the variable NOPE is not set")
    )
}

@Test func anchorsAndMergesAreResolved() throws {
    let scenario = try load(
        """
        target: {sqlite: temporary}
        workload: &w {mix: {append: 1}, clients: 3}
        phases: &p {warm-up: 1s, steady: 1s}
        """ + "\npool: {<<: {max-open: 7, min-idle: 1}, min-idle: 2}\n")
    #expect(scenario.workload.clients == 3)
    #expect(scenario.pool.maxOpen == 7)
    #expect(scenario.pool.minIdle == 2, "what is written here wins over what is merged in")
}

/// A change on the command line, and what it must come to.
private struct Change: Sendable {
    let override: String
    let holds: @Sendable (Scenario) -> Bool
}

private let changes: [Change] = [
    Change(override: "pool.max-open=5") { $0.pool.maxOpen == 5 },
    Change(override: "pool={max-open: 5}") { $0.pool.maxOpen == 5 },
    Change(override: "target.postgres.url=postgres://h/d") { $0.target == .postgres(url: "postgres://h/d") },
    Change(override: "faults.0.stumble.count=3") { $0.faults[0].parameters["count"] == .count(3) },
    Change(override: "faults[0].at=1s") { $0.faults[0].schedule.at == .seconds(1) },
    Change(override: "faults.1.fog.density=1ms") { $0.faults[1].kind == "fog" },
    Change(override: "faults=[]") { $0.faults.isEmpty },
    Change(override: "workload.mix.read=0.001") { $0.workload.mix.last?.weight == 0.001 },
]

@Test(arguments: changes.indices)
func overridesChangeTheTree(_ index: Int) throws {
    let base = minimal.replacing("{sqlite: temporary}", with: "{postgres: managed}") + "\nfaults:\n  - stumble: {}\n"
    #expect(changes[index].holds(try load(base, overrides: [changes[index].override])), "\(changes[index].override)")
}

@Test func managedServerMayHaveAStandbyAndTLS() throws {
    let text = minimal.replacing("sqlite: temporary", with: "postgres: managed, standby: true, tls: true")
    let scenario = try load(text)
    var options = Scenario.ManagedOptions()
    (options.standby, options.tls) = (true, true)
    #expect(scenario.target == .managedPostgres(options))
    #expect(try load(ResolvedScenario.yaml(scenario)) == scenario)
}

@Test func resolvedScenarioLoadsAgainToTheSame() throws {
    let scenario = try load(
        minimal
            + """

            pool: {max-idle: 3, max-lifetime: 90s, leak-threshold: 2500ms, max-waiters: 9}
            faults:
              - stumble: {count: 25%}
                every: 700ms
                times: 3
              - fog: {density: 1500us}
            """)
    let again = try load(ResolvedScenario.yaml(scenario))
    #expect(again == scenario)
}

@Test(
    "Names near a text that cannot name a folder can",
    arguments: [
        ("my file", "my-file"), ("日本", "scenario"), ("a$b", "a-b"), ("  x  ", "x"), ("...", "scenario"),
        ("a.b_c-d", "a.b_c-d"),
        ("", "scenario"), (String(repeating: "n", count: 101), String(repeating: "n", count: 100)),
    ])
func nearNamesAreValid(_ text: String, _ name: String) {
    #expect(ScenarioName.near(text) == name)
    #expect(ScenarioName.isValid(name))
    #expect(ScenarioName.isValid(text) == (text == name))
}

@Test func badNameOfAFileIsToldFromAWrittenOne() {
    let loader = ScenarioLoader(catalogue: testCatalogue)
    let error = #expect(throws: ScenarioErrors.self) {
        try loader.load(Array(minimal.utf8), file: "my file.yaml", defaultName: "my file")
    }
    #expect(error?.description.contains("name: \"my file\" (from the file's name; write name: …) cannot name") == true)
}

@Test func passwordsAreMaskedInTheResolvedScenario() throws {
    let scenario = try load(
        minimal.replacing("sqlite: temporary", with: "postgres: {url: \"postgres://u:s3cret@h/d\"}"))
    let yaml = ResolvedScenario.yaml(scenario)
    #expect(!yaml.contains("s3cret"))
    #expect(yaml.contains("postgres://u:***@h/d"))
}

@Test func passwordsOfAnAdapterAreMaskedAndAskedForAgain() throws {
    let adapter = "[/bin/cat, \"--dsn=postgres://u:hunter2@h/db\", \"password=hunter3\", \"--rate=5\"]"
    let text = minimal.replacing("{sqlite: temporary}", with: "{postgres: managed}") + "\npool: {adapter: \(adapter)}\n"
    let scenario = try load(text)
    #expect(scenario.maskedSettings.isEmpty)
    let yaml = ResolvedScenario.yaml(scenario)
    #expect(!yaml.contains("hunter"), "\(yaml)")
    let again = try load(yaml)
    #expect(again.pool.adapter == ["/bin/cat", "--dsn=postgres://u:***@h/db", "password=***", "--rate=5"])
    #expect(again.maskedSettings == ["pool.adapter=[…]"])
}

@Test("A reader of YAML 1.1 finds the same keys and texts", arguments: ["on", "off", "Yes", "y", "NULL"])
func wordsThatAreNoTextElsewhereAreQuoted(_ word: String) throws {
    var scenario = try load(minimal)
    scenario.name = word
    scenario.invariants[0].parameters.values[word] = .count(1)
    let yaml = ResolvedScenario.yaml(scenario)
    #expect(yaml.contains("name: \"\(word)\"\n") && yaml.contains("\"\(word)\": 1"), "\(yaml)")
}

@Test(arguments: [
    ("postgres://u:p@h/d", "postgres://u:***@h/d"),
    ("postgres://h/d?password=x&a=b", "postgres://h/d?password=***&a=b"),
    ("host=h password='a b' dbname=d", "host=h password=*** dbname=d"), ("postgres://u@h/d", "postgres://u@h/d"),
    ("postgres://u:a@b@h/d", "postgres://u:***@h/d"), ("plain", "plain"),
    ("[\"a://u:p@h\", \"http://h:1/?q\", \"b://u:q@h/d\"]", "[\"a://u:***@h\", \"http://h:1/?q\", \"b://u:***@h/d\"]"),
    ("a://u:p@h b://u:q@h", "a://u:***@h b://u:***@h"), ("host=h passfile=/etc/pgpass", "host=h passfile=/etc/pgpass"),
    ("host=h sslpassword=x", "host=h sslpassword=***"),
])
func secretsAreMasked(_ text: String, _ masked: String) { #expect(SecretMask.inURL(text) == masked) }

@Test func poolerIsReadAndWrittenAgain() throws {
    for pooling in Scenario.Pooling.allCases {
        let text = minimal.replacing("{sqlite: temporary}", with: "{postgres: managed, pgbouncer: \(pooling.rawValue)}")
        let scenario = try load(text)
        var options = Scenario.ManagedOptions()
        options.pgBouncer = pooling
        #expect(scenario.target == .managedPostgres(options))
        #expect(try load(ResolvedScenario.yaml(scenario)).target == scenario.target)
    }
}

@Test func composeServiceIsReadAndWrittenAgain() throws {
    for (words, file) in [("compose: db", "docker-compose.yml"), ("compose: db, file: ../other.yml", "../other.yml")] {
        let scenario = try load(minimal.replacing("sqlite: temporary", with: words))
        #expect(scenario.target == .compose(service: "db", file: file))
        #expect(try load(ResolvedScenario.yaml(scenario)).target == scenario.target)
    }
}
