import RigModel
import RigTestSupport
import Testing

@testable import ScenarioFile

/// The JSON Schema against the reader, key by key: each is given a list of texts, right and wrong, in an otherwise valid file.
@Suite(.timeLimit(.minutes(10)))
struct SchemaTests {
    private static let texts = [
        "2s", "100ms", "1.5 s", "0s", "250us", "3min", "1d", "5", "0", "0.5", "1", ".5", "5.", "1_000", "_1_0s",
        "1.2.3s",
        "90%", "150%", "0.5%", "100 %", "%", "500/s", "3/min", "2/h", "7/x", "1MB/s", "64KiB/s", "true", "yes", "off",
        "True", "managed", "session", "none", "child", "full", "safe", "last-used-first", "serializable",
        "${NOWHERE:-3s}",
        "${NOWHERE:-7}", "'7'", "\"2s\"", "'90%'", "abc", "-1", "-2s", "2 s s", "1e3", "2020-01-01", "~", "", "[a, b]",
        "[]",
        "{}", "{a: b}", "all", "soft", "temporary", "$$", "TRUE", "Yes", "'NO'", "$RATE", "99999999999999999999",
        "'99999999999999999999'", "000_5",
    ]

    /// A place in a scenario: what stands before the value, and what stands behind it.
    private struct Place {
        let key: SectionKey
        let before: String
        let after: String
    }

    private static func places(
        _ shape: SectionShape, before: String, after: String, besides: String = "", without: Set<String> = []
    ) -> [Place] {
        shape.keys.filter { !without.contains($0.name) }.map { key in
            // Other keys that the section needs.
            let others = shape.keys.filter { $0.isRequired && $0.name != key.name }.map { "\($0.name): \(sample($0))" }
            let rest = ([besides] + others).filter { !$0.isEmpty }.map { ", " + $0 }.joined()
            return Place(key: key, before: "\(before){\(key.name): ", after: "\(rest)}\(after)")
        }
    }

    private static func sample(_ key: SectionKey) -> String {
        switch key.form {
        case .value(let types) where types.contains(.duration): "1s"
        case .value(let types) where types.contains(.share): "5%"
        case .value(let types) where types.contains(.count): "3"
        case .mix: "{append: 1}"
        default: "x"
        }
    }

    private static let head = "target: {postgres: managed}\n"
    private static let workload = "workload: {mix: {append: 1}}\n"

    private static var places: [Place] {
        let behaviour = "workload: {mix: {append: 1}, behaviour: "
        var places = places(.pool, before: head + workload + "pool: ", after: "\n")
        places += self.places(.phases, before: head + workload + "phases: ", after: "\n")
        places += self.places(
            .workload, before: head + "workload: ", after: "\n", besides: "", without: ["behaviour"])
        places += self.places(
            .target, before: workload + "target: ", after: "\n", besides: "postgres: managed",
            without: ["postgres", "compose", "sqlite"])
        places += self.places(.target, before: workload + "target: ", after: "\n")
        places += self.places(.postgres, before: workload + "target: {postgres: ", after: "}\n")
        places += self.places(.behaviour, before: head + behaviour, after: "}\n")
        for key in SectionShape.behaviour.keys {
            switch key.form {
            case .section(let shape), .valueOrSection(_, let shape):
                places += self.places(shape, before: head + behaviour + "{\(key.name): ", after: "}}\n")
            default: break
            }
        }
        let faults = head + workload + "faults: ["
        places += self.places(.fault, before: faults, after: "]\n", besides: "fog: {density: 1s}")
        places += self.places(.fault, before: faults, after: "]\n", besides: "stumble: {}")
        places += self.places(.fault, before: faults, after: "]\n", besides: "fog: {density: 1s}, every: 3s")
        places += self.places(.randomGroup, before: faults, after: "]\n", besides: "random: [{stumble: {}}]")
        places += self.places(.sequence, before: faults, after: "]\n", besides: "sequence: [{stumble: {}}]")
        places += self.places(
            .randomMember, before: faults + "{random: [", after: "]}]\n", besides: "fog: {density: 1s}, for: 1s",
            without: ["for"])
        places += self.places(
            .sequenceMember, before: faults + "{sequence: [", after: "]}]\n", besides: "fog: {density: 1s}")
        for fault in testCatalogue.faults {
            places += self.places(SectionShape(fault), before: faults + "{\(fault.name): ", after: "}]\n")
        }
        for invariant in testCatalogue.invariants {
            places += self.places(
                SectionShape(invariant), before: head + workload + "invariants: {\(invariant.name): ", after: "}\n")
        }
        places += self.places(
            .scenario, before: "", after: "", besides: "target: {postgres: managed}, workload: {mix: {append: 1}}",
            without: ["target", "workload"]
        ).map {
            Place(
                key: $0.key, before: $0.before,
                after: $0.after.replacing(", target: x", with: "").replacing(", workload: x", with: ""))
        }
        return places
    }

    private static func problems(_ text: String) -> String? {
        do throws(ScenarioErrors) {
            _ = try ScenarioLoader(catalogue: testCatalogue).load(
                Array(text.utf8), file: "test.yaml", defaultName: "test")
            return nil
        } catch {
            return error.description
        }
    }

    @Test func whatTheReaderAcceptsTheSchemaAcceptsToo() async throws {
        let documents = Self.places.flatMap { place in Self.texts.map { place.before + $0 + place.after } }
        let complaints = try await SchemaValidator(ScenarioSchema(testCatalogue).json).complaints(about: documents)
        var accepted = 0
        var refusedByBoth = 0
        for (document, complaint) in zip(documents, complaints) {
            if Self.problems(document) == nil {
                accepted += 1
                #expect(complaint == nil, "\(document)")
            } else if complaint != nil {
                refusedByBoth += 1
            }
        }
        // Limits and combinations are the reader's alone; nearly all else the schema knows, too.
        #expect(accepted > 500)
        #expect(Double(refusedByBoth) > 0.9 * Double(documents.count - accepted))
    }

    @Test("Where a key takes more than nothing, the schema takes no nothing either")
    func zerosAreReadAlike() async throws {
        let pairs = [("0", "7"), ("0s", "1s"), ("0/s", "3/s"), ("0%", "3%"), ("0.0", "0.5"), ("'0_0'", "'7'")]
        let all = Self.places.flatMap { place in
            pairs.map { (zero: place.before + $0.0 + place.after, other: place.before + $0.1 + place.after) }
        }
        // What is refused for the number alone.
        let refused = all.filter {
            Self.problems($0.zero)?.contains("was expected") == true && Self.problems($0.other) == nil
        }
        let complaints = try await SchemaValidator(ScenarioSchema(testCatalogue).json).complaints(
            about: refused.map(\.zero))
        for (pair, complaint) in zip(refused, complaints) { #expect(complaint != nil, "\(pair.zero)") }
        #expect(refused.count > 40)
    }

    @Test("What one YAML reader takes for a number or a boolean, and another one for a text, is the same for both")
    func edgesAreReadAlike() async throws {
        let rows: [(text: String, isRight: Bool)] =
            ["True", "TRUE", "Yes", "OFF", "'On'", "'${NOWHERE:-no}'"].map {
                ("pool: {server-statement-timeout: \($0)}", true)
            }
            + ["tRUE", "maybe", "$FLAG", "$$"].map { ("pool: {server-statement-timeout: \($0)}", false) }
            + ["007", "'1_000'"].map { ("pool: {max-open: \($0)}", true) }
            + ["99999999999999999999", "'99999999999999999999'", "$MAX", "_"].map { ("pool: {max-open: \($0)}", false) }
            + ["$RATE", "5$$/s"].map { ("name: \($0)", false) }
        let documents = rows.map { Self.head + Self.workload + $0.text + "\n" }
        let complaints = try await SchemaValidator(ScenarioSchema(testCatalogue).json).complaints(about: documents)
        for ((document, row), complaint) in zip(zip(documents, rows), complaints) {
            #expect((Self.problems(document) == nil) == row.isRight, "\(document)")
            #expect((complaint == nil) == row.isRight, "\(document): \(complaint ?? "accepted")")
        }
    }

    @Test func eachKeyIsReadWithItsOwnTypes() {
        for place in Self.places where place.key.form != .faults {
            // Nothing in a scenario is a list in a list.
            let problems = Self.problems(place.before + "[[1]]" + place.after)
            #expect(problems?.contains(place.key.name) == true, "\(place.before): \(problems ?? "accepted")")
        }
    }

    private static let thresholds: [(text: String, isRight: Bool)] = [
        ("acquire.p99: < 50ms", true), ("acquire: {p99: '<= 50 ms in phase steady, < 2s in fault fog'}", true),
        ("errors: '< 1% in fault none, at most 0.5 {fault: any}'", true),
        ("append.throughput: 'above 200/s {phase: settle}'", true),
        ("operation.errors: below 20%", true), ("append: {max: < 1s, errors: < 1%}", true), ("query.p999: < 1s", true),
        ("acquire.errors: < 1%", false), ("acquire.p98: < 1s", false), ("errors: < 1s", false), ("errors: 1%", false),
        ("acquire.p99: < 50", false), ("acquire.p99: < 50ms in phase heat", false), ("jump.p99: < 1s", false),
        ("acquire.p99: < 50ms in fault rain", false), ("throughput: above 3", false), ("acquire.p99: 5", false),
    ]

    @Test func thresholdsAreReadAlike() async throws {
        let documents = Self.thresholds.map {
            // With the fault that some of them name: the reader refuses what could never be measured.
            Self.head + Self.workload
                + "faults: [{fog: {density: 1s}, for: 1s}]\ninvariants:\n  thresholds:\n    \($0.text)\n"
        }
        let complaints = try await SchemaValidator(ScenarioSchema(testCatalogue).json).complaints(about: documents)
        for ((document, row), complaint) in zip(zip(documents, Self.thresholds), complaints) {
            #expect((Self.problems(document) == nil) == row.isRight, "\(document)")
            #expect((complaint == nil) == row.isRight, "\(document): \(complaint ?? "accepted")")
        }
    }
}
