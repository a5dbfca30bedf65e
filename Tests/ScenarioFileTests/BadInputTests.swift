import Foundation
import Testing

@testable import ScenarioFile

/// A scenario that is wrong, and what must be said about it.
struct BadInput: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let text: String
    var overrides: [String] = []
    let expected: [String]

    init(_ name: String, _ text: String, set overrides: [String] = [], _ expected: String...) {
        testDescription = name
        self.text = text
        self.overrides = overrides
        self.expected = expected
    }
}

private func with(_ lines: String) -> String { minimal + "\n" + lines + "\n" }

private let badInputs: [BadInput] = [
    BadInput("empty file", "", "x.yaml: the file is empty"),
    BadInput("comment only", "# hi\n", "x.yaml: the file is empty"),
    BadInput("a list", "- a\n", "x.yaml:1:1: a scenario is a mapping"),
    BadInput(
        "unknown key", with("pool: {max-opn: 3}"),
        "x.yaml:6:8: unknown key \"max-opn\" in pool; did you mean \"max-open\"?"),
    BadInput(
        "threshold beside the invariants", with("invariants: {append.p99: < 50ms}"),
        "x.yaml:6:14: unknown key \"append.p99\" in invariants; a threshold stands one level deeper: \"thresholds: {append"
    ),
    BadInput(
        "unknown section", with("polo: {}"), "x.yaml:6:1: unknown key \"polo\" in the scenario; did you mean \"pool\"?"),
    BadInput(
        "missing unit", with("pool: {acquire-timeout: 2}"), "x.yaml:6:25: acquire-timeout: a duration like 2s",
        "2s or 2ms?"),
    BadInput(
        "wrong unit", with("pool: {acquire-timeout: 2MB}"), "x.yaml:6:25: acquire-timeout: a duration", "not \"2MB\""),
    BadInput(
        "wrong type", with("pool: {max-open: [1]}"), "x.yaml:6:18: max-open: a whole number was expected, not a list"),
    BadInput("negative", with("pool: {max-open: -1}"), "x.yaml:6:18: max-open: a whole number"),
    BadInput("0 clients", minimal.replacing("mix:", with: "clients: 0\n  mix:"), "x.yaml:5:12: clients: at least 1"),
    BadInput("too many clients", minimal.replacing("mix:", with: "clients: 100001\n  mix:"), "clients: at most 100000"),
    BadInput(
        "rate without unit", minimal.replacing("mix:", with: "rate: 500\n  mix:"), "rate: a rate like 500/s", "500/s?"),
    BadInput("rate 0", minimal.replacing("mix:", with: "rate: 0/s\n  mix:"), "rate: more than 0/s"),
    BadInput("no mix", "target: {sqlite: temporary}\n", "workload.mix is missing"),
    BadInput(
        "a mix that is a list", minimal.replacing("{append: 1}", with: "[append]"),
        "x.yaml:5:8: workload.mix: operation kinds and their weights, for example {append: 60, read: 40}, were expected, not a list"
    ),
    BadInput(
        "a mix that is a word", minimal.replacing("{append: 1}", with: "append"), "were expected, not \"append\""),
    BadInput("too long to hold", with("pool: {acquire-timeout: 4000d}"), "not \"4000d\"; that is too long: ten years"),
    BadInput("unknown operation", minimal.replacing("append", with: "apend"), "did you mean \"append\"?"),
    BadInput("all weights 0", minimal.replacing("append: 1", with: "append: 0"), "every weight is 0"),
    BadInput("no target", "workload: {mix: {append: 1}}\n", "x.yaml:1:1: target is missing"),
    BadInput("two targets", minimal.replacing("sqlite:", with: "postgres: managed, sqlite:"), "names two databases"),
    BadInput(
        "standby of a file", minimal.replacing("sqlite: temporary", with: "sqlite: temporary, standby: true"),
        "x.yaml:3:29: target.standby needs a server of the run's own"),
    BadInput(
        "TLS of a server that exists", minimal.replacing("sqlite: temporary", with: "postgres: {url: a}, tls: true"),
        "target.tls needs a server of the run's own"),
    BadInput(
        "wrong target", minimal.replacing("{sqlite: temporary}", with: "{postgres: manged}"),
        "x.yaml:3:20: target.postgres: managed or {url: …}"),
    BadInput(
        "wrong pooling", minimal.replacing("{sqlite: temporary}", with: "{postgres: managed, pgbouncer: sesion}"),
        "x.yaml:3:40: pgbouncer: one of session, transaction", "did you mean \"session\"?"),
    BadInput(
        "pooler before SQLite", minimal.replacing("sqlite: temporary", with: "sqlite: temporary, pgbouncer: session"),
        "target.pgbouncer needs a server of the run's own"),
    BadInput(
        "pooler before another's server",
        minimal.replacing("sqlite: temporary", with: "postgres: {url: x}, pgbouncer: session"),
        "target.pgbouncer needs a server of the run's own"),
    BadInput(
        "compose file without compose", minimal.replacing("sqlite: temporary", with: "sqlite: temporary, file: x.yml"),
        "target.file needs a compose service: compose: NAME"),
    BadInput(
        "compose and SQLite", minimal.replacing("sqlite: temporary", with: "sqlite: temporary, compose: db"),
        "names two databases"),
    BadInput(
        "min-idle over max-open", with("pool: {max-open: 2, min-idle: 3}"),
        "x.yaml:6:31: min-idle: 3 is more than max-open (2)"),
    BadInput("timeout of 0", with("pool: {acquire-timeout: 0s}"), "acquire-timeout: more than 0s"),
    BadInput(
        "back-off upside down", with("pool: {reconnect-backoff: {first: 2s, cap: 1s}}"), "first is longer than cap"),
    BadInput(
        "unknown fault", with("faults:\n  - stumbel: {}"),
        "x.yaml:7:5: unknown fault \"stumbel\"; did you mean \"stumble\"?"),
    BadInput("fault as a word", with("faults: [stumble]"), "x.yaml:6:10: a fault is a mapping"),
    BadInput("faults as a mapping", with("faults: {stumble: {}}"), "x.yaml:6:9: faults: a list was expected"),
    BadInput("two kinds in one item", with("faults:\n  - {stumble: {}, fog: {density: 1s}}"), "one fault per item"),
    BadInput("missing parameter", with("faults:\n  - fog: {}"), "x.yaml:7:5: fog: density is missing"),
    BadInput("wrong choice", with("faults:\n  - stumble: {mode: hrad}"), "did you mean \"hard\"?"),
    BadInput(
        "at beyond the phase", with("phases: {faults: 2s}\nfaults:\n  - {stumble: {}, at: 2s}"),
        "is not within the faults phase of 2s"),
    BadInput("for on an instant fault", with("faults:\n  - {stumble: {}, for: 2s}"), "takes no for:"),
    BadInput(
        "jitter over every", with("faults:\n  - {stumble: {}, every: 1s, jitter: 2s}"),
        "jitter: at most the period of 1s"),
    BadInput(
        "parameter that cannot work", with("faults:\n  - stumble: {count: 13, mode: soft}"),
        "x.yaml:7:22: count: not on a Friday"),
    BadInput(
        "parameters that cannot work on this target", with("faults:\n  - stumble: {count: 14}"),
        "x.yaml:7:5: stumble: the file is too soft"),
    BadInput("times 0", with("faults:\n  - {stumble: {}, times: 0}"), "times: at least 1"),
    BadInput(
        "faults without a phase", with("phases: {faults: 0s}\nfaults:\n  - stumble: {}"), "could never be injected"),
    BadInput("all phases 0", with("phases: {warm-up: 0s, steady: 0s, faults: 0s, settle: 0s}"), "nothing would run"),
    BadInput("longer than a day", with("phases: {faults: 25h}"), "a run takes at most 24h"),
    BadInput(
        "larger than memory", minimal.replacing("mix:", with: "rate: 1000000/s\n  mix:") + "\nphases: {faults: 1h}\n",
        "operations; the history of a run holds at most"),
    BadInput("no invariants", with("invariants: {}"), "invariants is empty"),
    BadInput("unknown invariant", with("invariants: {recovry: {}}"), "did you mean \"recovery\"?"),
    BadInput("bad name", with("name: a/b"), "x.yaml:6:7: name: \"a/b\" cannot name a folder"),
    BadInput(
        "name of two lines", with("name: \"a\\nb\""),
        "x.yaml:6:7: name: \"a\\nb\" cannot name a folder; ASCII letters, digits"),
    BadInput(
        "duplicate key", with("pool: {}\npool: {}"), "x.yaml:7:1: the key \"pool\" is here twice; first at line 6"),
    BadInput("cyclic alias", "a: &x {b: *x}\n", "x.yaml:1:11: the alias *x is inside what it stands for"),
    BadInput("unknown alias", "a: *x\n", "x.yaml:1:4: there is no anchor &x"),
    BadInput("two documents", minimal + "\n---\na: 1\n", "one document was expected"),
    BadInput("tab", "target:\n\tsqlite: temporary\n", "x.yaml:2:1: not YAML"),
    BadInput("unclosed quote", "name: \"abc\n", "not YAML"),
    BadInput("not UTF-8", "name: a\0b\n", "x.yaml"),
    BadInput("override without =", minimal, set: ["pool.max-open"], "--set pool.max-open: path=value was expected"),
    BadInput(
        "override with a wrong unit", minimal, set: ["invariants.recovery.within=1xs"],
        "--set invariants.recovery.within=1xs: within: a duration"),
    BadInput(
        "override of an unknown key", minimal, set: ["pool.max-opn=1"], "--set pool.max-opn=1: unknown key \"max-opn\""),
    BadInput("override beyond a list", minimal, set: ["faults.3.at=1s"], "there is no item 3: the list has 0"),
    BadInput(
        "several problems at once", with("pool: {max-opn: 3, min-idle: x}"), "unknown key \"max-opn\"",
        "x.yaml:6:30: min-idle"),
]

@Test("Bad input is refused with its place and the way out", arguments: badInputs)
func badInputIsRefused(_ row: BadInput) {
    let words = complaint(row.text, overrides: row.overrides)
    for expected in row.expected { #expect(words.contains(expected), "said: \(words)") }
}

@Test(
    "A section that is no mapping is told once, and nothing in it is missed",
    arguments: [
        ("invariants: {thresholds: []}", 0), ("invariants: []", 0), ("faults: [{fog: [1s]}]", 0), ("target: []", 1),
        ("workload: []", 2),
    ])
func sectionOfAnotherKindIsToldOnce(_ line: String, _ replaced: Int) {
    let parts = ["target: {sqlite: temporary}", "workload: {mix: {append: 1}}"].enumerated()
    let text = (parts.filter { $0.offset + 1 != replaced }.map(\.element) + [line]).joined(separator: "\n")
    let words = complaint(text + "\n")
    #expect(words.contains("a mapping (key: value) was expected, not a list") && !words.contains("\n"), "\(words)")
}

@Test func aliasesCannotExpandWithoutEnd() {
    var text = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n"
    for level in 1...8 {
        let items = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ",")
        text += "a\(level): &a\(level) [\(items)]\n"
    }
    #expect(complaint(text).contains("aliases expanded"))
}

@Test func deepNestingIsRefused() {
    #expect(complaint(String(repeating: "[", count: 100)).contains("nested deeper than 64"))
}

@Test func filesThatCannotBeReadAreNamed() {
    let loader = ScenarioLoader(catalogue: testCatalogue)
    for (path, words) in [("/nonexistent/x.yaml", "No such file"), ("/tmp", "is a folder")] {
        #expect {
            try loader.load(path: path, environment: [:])
        } throws: { error in
            "\(error)".hasPrefix(path) && "\(error)".contains(words)
        }
    }
}

@Test func noDamagedFileCrashesTheLoader() {
    let bytes = Array((minimal + "\nfaults:\n  - &f {stumble: {count: 50%}, every: 1s}\n  - *f\n").utf8)
    let loader = ScenarioLoader(catalogue: testCatalogue)
    var refused = 0
    for position in bytes.indices {
        for damaged in [
            Array(bytes[..<position]), bytes[..<position] + [bytes[position] ^ 0x55] + bytes[(position + 1)...],
        ] {
            do throws(ScenarioErrors) {
                _ = try loader.load(Array(damaged), file: "x.yaml", defaultName: "x")
            } catch {
                refused += 1
                #expect(!error.problems.isEmpty)
            }
        }
    }
    #expect(refused > bytes.count / 2)
}
