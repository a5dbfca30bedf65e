import RigModel
import Testing

@testable import ScenarioFile

@Suite struct BehaviourTests {
    private func text(
        _ behaviour: String, target: String = "{postgres: managed}", pool: String = "{}", more: String = "",
        mix: String = "{append: 1, transfer: 1}"
    ) -> String {
        "target: \(target)\npool: \(pool)\nworkload:\n  mix: \(mix)\n\(more)  behaviour: \(behaviour)\n"
    }

    @Test("The whole section is read, and comes through the resolved file unchanged")
    func everything() throws {
        let scenario = try load(
            text(
                """
                {cancel: {share: 5%, at: commit}, throw: 2%, abandon-transaction: 1%, abandon-result: 1%,
                    hold: {share: 2%, for: 500ms}, nested: 1%,
                    residue: {settings: 2%, role: 1%, temp-table: 1%, advisory-lock: 1%, listen: 1%},
                    burst: {factor: 8, every: 5s, for: 1s}, quiet: {every: 6s, for: 3s},
                    probe: {every: 1s, limit: 500ms}, reopen: {at: 10s, in-flight: 10}}
                """,
                more: "  accounts: 10\n  isolation: serializable\n  distinct-statements: 300\n  prepared: false\n"))
        let behaviour = scenario.workload.behaviour
        #expect(behaviour.cancel == ClientBehaviour.Cancel(share: 0.05, at: .commit))
        #expect(behaviour.throwShare == 0.02 && behaviour.abandonTransaction == 0.01)
        #expect(behaviour.abandonResult == 0.01 && behaviour.nested == 0.01)
        #expect(behaviour.hold == ClientBehaviour.Hold(share: 0.02, duration: .milliseconds(500)))
        #expect(behaviour.residue.map(\.kind) == Residue.allCases)
        #expect(behaviour.residue.map(\.share) == [0.02, 0.01, 0.01, 0.01, 0.01])
        #expect(behaviour.burst == ClientBehaviour.Window(every: .seconds(5), duration: .seconds(1)))
        #expect(behaviour.burstFactor == 8)
        #expect(behaviour.quiet == ClientBehaviour.Window(every: .seconds(6), duration: .seconds(3)))
        #expect(behaviour.probe == ClientBehaviour.Probe(every: .seconds(1), limit: .milliseconds(500)))
        #expect(behaviour.reopen == ClientBehaviour.Reopen(at: .seconds(10), inFlight: 10))
        #expect(scenario.workload.accounts == 10 && scenario.workload.isolation == .serializable)
        #expect(scenario.workload.distinctStatements == 300 && !scenario.workload.prepared)
        #expect(try load(ResolvedScenario.yaml(scenario)).workload == scenario.workload)
    }

    @Test("A share alone is a cancel at any moment; without the section clients do nothing beside")
    func short() throws {
        #expect(try load(text("{cancel: 5%}")).workload.behaviour.cancel == ClientBehaviour.Cancel(share: 0.05))
        let plain = try load(minimal)
        #expect(plain.workload.behaviour == ClientBehaviour())
        #expect(!ResolvedScenario.yaml(plain).contains("behaviour"))
    }

    @Test(
        "What cannot be is refused where it stands",
        arguments: [
            ("{cancel: 500%}", "x.yaml:5:23: cancel: a share"),
            ("{cancel: {at: commit}}", "x.yaml:5:23: workload.behaviour.cancel: share is missing"),
            ("{cancel: {share: 1%, at: comit}}", "did you mean \"commit\"?"),
            ("{trow: 1%}", "x.yaml:5:15: unknown key \"trow\" in workload.behaviour; did you mean \"throw\"?"),
            ("{hold: 2%}", "workload.behaviour.hold: a mapping"),
            (
                "{hold: {share: 2%, for: 32s}}",
                "x.yaml:5:38: workload.behaviour.hold: for: less than the phases take in all (32s) was expected"
            ),
            ("{hold: {share: 2%, for: 0s}}", "x.yaml:5:38: for: more than 0s"),
            ("{residue: {roles: 1%}}", "x.yaml:5:25: unknown key \"roles\""),
            (
                "{burst: {factor: 1000000, every: 5s, for: 1s}}",
                "x.yaml:5:31: workload.behaviour.burst: factor: 1000000 times 32 clients is more than 100000"
            ),
            ("{burst: {every: 5s, for: 1s}}", "burst: factor: so many times the load"),
            ("{burst: {factor: 8, every: 5s, for: 5s}}", "x.yaml:5:50: workload.behaviour.burst: for: less than"),
            ("{quiet: {for: 1s}}", "workload.behaviour.quiet: every is missing"),
            ("{probe: {every: 1s}}", "workload.behaviour.probe: limit is missing"),
            ("{reopen: {}}", "workload.behaviour.reopen: at is missing"),
            ("{cancel: 0%}", "x.yaml:5:23: cancel: more than 0% was expected; leave it out for never"),
            ("{throw: 0%}", "x.yaml:5:22: throw: more than 0%"),
            ("{hold: {share: 0%, for: 1s}}", "x.yaml:5:29: share: more than 0%"),
            ("{residue: {}}", "x.yaml:5:24: residue: name what is left behind: settings, role"),
            ("{residue: {role: 0%}}", "x.yaml:5:31: role: more than 0%"),
            (
                "{burst: {factor: 2, every: 2us, for: 1us}}",
                "x.yaml:5:41: workload.behaviour.burst: every: at least 10ms"
            ),
            (
                "{quiet: {every: 100d, for: 99d}}",
                "x.yaml:5:30: workload.behaviour.quiet: every: less than the phases take in all (32s)"
            ),
            ("{burst: {factor: 8, every: 32s, for: 1s}}", "x.yaml:5:41: workload.behaviour.burst: every: less than"),
            ("{probe: {every: 1h, limit: 1s}}", "x.yaml:5:30: workload.behaviour.probe: every: less than"),
            ("{probe: {every: 1s, limit: 2s}}", "x.yaml:5:41: workload.behaviour.probe: limit: at most every: (1s)"),
            ("{reopen: {at: 1h}}", "x.yaml:5:28: workload.behaviour.reopen: at: less than"),
            (
                "{reopen: {at: 1s, in-flight: 33}}",
                "x.yaml:5:43: workload.behaviour.reopen: in-flight: 33 operations are never"
            ),
        ])
    func refused(_ behaviour: String, _ words: String) {
        let complaint = complaint(text(behaviour))
        #expect(complaint.contains(words), "\(complaint)")
    }

    @Test(
        "One mistake is told once",
        arguments: [
            "{hold: 2%}", "{residue: 1%}", "{burst: {factor: 2.5, every: 5s, for: 1s}}", "{burst: 2}", "{quiet: 3s}",
            "{probe: [1s]}", "{reopen: 5s}", "{cancel: [5%]}",
        ])
    func once(_ behaviour: String) {
        let complaint = complaint(text(behaviour))
        #expect(!complaint.isEmpty && !complaint.contains("\n"), "\(complaint)")
    }

    @Test("What no operation of the mix can bear is refused; with one that can it is not")
    func kinds() {
        let cancel = "{cancel: {share: 50%, at: commit}}"
        #expect(
            complaint(text(cancel, mix: "{append: 1, transfer: 0}")).contains(
                "x.yaml:5:40: workload.behaviour.cancel: at: commit: no operation of workload.mix works in a transaction"
            ))
        #expect(complaint(text(cancel)) == "")
        let abandon = "{abandon-transaction: 1%}"
        #expect(
            complaint(text(abandon, mix: "{inspect: 1}")).contains(
                "x.yaml:5:36: workload.behaviour.abandon-transaction: clients that inspect never do that"))
        #expect(complaint(text(abandon, mix: "{inspect: 1, append: 1}")) == "")
    }

    @Test("In a burst there are more clients; with a rate they only have more to do")
    func clientsOfBursts() {
        let behaviour = "{reopen: {at: 1s, in-flight: 64}, burst: {factor: 2, every: 5s, for: 1s}}"
        #expect(complaint(text(behaviour)) == "")
        #expect(complaint(text(behaviour, more: "  rate: 10/s\n")).contains("there are 32 clients"))
    }

    @Test("A behaviour at the top of the file is told where it belongs")
    func misplaced() {
        #expect(
            complaint(minimal + "\nbehaviour: {cancel: 1%}\n")
                == "x.yaml:6:1: behaviour belongs into workload: (workload: {behaviour: {…}})")
    }

    @Test("Numbers beyond every limit are refused in words, also where their product would not fit")
    func hugeNumbers() {
        let clients = text("{burst: {factor: 8, every: 5s, for: 1s}}", more: "  clients: 9223372036854775807\n")
        #expect(complaint(clients) == "x.yaml:5:12: clients: at most 100000")
        let rate = text("{cancel: 1%}", more: "  rate: 1\(String(repeating: "0", count: 300))/s\n")
        #expect(complaint(rate).contains("workload: over 1000000000000000 operations"))
        let short = minimal + "\n  rate: 100000000000/s\nphases: {warm-up: 900ms, steady: 0s, faults: 0s, settle: 0s}\n"
        #expect(complaint(short).contains("workload: 90000000000 operations"))
    }

    @Test("An embedded database is not asked for what only a server has")
    func embedded() {
        for (behaviour, key) in [("{abandon-result: 1%}", "abandon-result"), ("{residue: {role: 1%}}", "residue")] {
            let complaint = complaint(text(behaviour, target: "{sqlite: temporary}"))
            #expect(complaint == "x.yaml:5:15: workload.behaviour: \(key) needs a PostgreSQL target")
        }
        let isolated = text("{cancel: 1%}", target: "{sqlite: a.db}", more: "  isolation: serializable\n")
        #expect(complaint(isolated) == "x.yaml:5:14: isolation: needs a PostgreSQL target")
        #expect(complaint(text("{cancel: 1%, nested: 1%}", target: "{sqlite: temporary}")) == "")
    }

    @Test("A pool in another process is not asked for what its protocol cannot say")
    func child() {
        for behaviour in ["{throw: 1%}", "{nested: 1%}", "{abandon-result: 1%}", "{reopen: {at: 1s}}"] {
            #expect(
                complaint(text(behaviour, pool: "{process: child}")).contains("needs the pool in the rig's own process")
            )
        }
        #expect(complaint(text("{cancel: {share: 1%, at: begin}}", pool: "{process: child}")).contains("leave at: out"))
        #expect(complaint(text("{cancel: 1%, hold: {share: 1%, for: 1s}}", pool: "{process: child}")) == "")
    }

    @Test("Numbers that make no workload are refused")
    func numbers() {
        #expect(complaint(text("{}", more: "  accounts: 1\n")).contains("accounts: at least 2"))
        #expect(complaint(text("{}", more: "  distinct-statements: 0\n")).contains("distinct-statements: at least 1"))
        #expect(complaint(text("{}", more: "  isolation: chaos\n")).contains("isolation: one of"))
    }

    @Test("Several pools are read, and refused where they cannot be")
    func instances() throws {
        let scenario = try load(text("{}", pool: "{instances: 3, max-open: 5}"))
        #expect(scenario.pool.instances == 3 && scenario.pool.totalOpen == 15)
        #expect(try load(ResolvedScenario.yaml(scenario)).pool == scenario.pool)
        #expect(complaint(text("{}", pool: "{instances: 0}")).contains("instances: at least 1"))
        #expect(complaint(text("{}", pool: "{instances: 2, process: child}")).contains("rig's own process"))
        #expect(
            complaint(text("{reopen: {at: 1s}}", pool: "{instances: 2}"))
                == "x.yaml:5:15: workload.behaviour: reopen is for one pool, but pool.instances is 2; take one of them out"
        )
    }
}
