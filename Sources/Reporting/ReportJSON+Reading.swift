package import RigModel

/// Why a `report.json` is not one.
package struct ReportJSONError: Error, Sendable, Equatable, CustomStringConvertible {
    package let problem: String
    package var description: String { problem }
}

extension ReportJSON {
    /// The report that was encoded so, but for the latencies, which `report.json` holds as a few quantiles only, in ``RunReport/workload``:
    /// each is empty, and the history has them. What an older chaosrig did not write yet is empty.
    ///
    /// - Throws: ``ReportJSONError`` with the member that is missing or of another type.
    package static func decode(_ value: JSONValue) throws(ReportJSONError) -> RunReport {
        let root = Reading(value, at: "")
        let schema = try root.text("schema")
        guard schema == RunReport.schema else {
            throw ReportJSONError(
                problem: "its schema is \"\(schema)\", and this chaosrig reads \"\(RunReport.schema)\"")
        }
        let verdict = try root.text("verdict")
        guard let verdict = Verdict(rawValue: verdict) else {
            throw ReportJSONError(problem: "verdict: \"\(verdict)\" is none")
        }
        let seedValue = value["seed"]
        let seed = seedValue?.intValue.flatMap { UInt64(exactly: $0) } ?? seedValue?.stringValue.flatMap { UInt64($0) }
        guard let seed else { throw ReportJSONError(problem: "seed: a whole number was expected") }
        return RunReport(
            scenario: try root.text("scenario"),
            scenarioSummary: (value["scenario_summary"] ?? value["summary"])?.stringValue ?? "", seed: seed,
            verdict: verdict, exitCode: try root.whole("exit_code"), notes: value["notes"]?.texts ?? [],
            startedAt: try root.text("started_at"), durationSeconds: try root.number("duration_s"),
            environment: value["environment"]?.members ?? [], target: try root.text("target"),
            faults: try root.list("faults", fault), invariants: try root.list("invariants", invariant),
            workload: try (value["workload"]?.members ?? []).map { (member) throws(ReportJSONError) in
                try operation(member)
            },
            droppedOperations: try root.whole("dropped_operations"), pool: value["pool"]?.members ?? [],
            recovery: try root.list("recovery", recovery), replay: try root.text("replay"),
            resources: value["resources"]?.members ?? [])
    }

    private static func fault(_ item: Reading) throws(ReportJSONError) -> FaultRecord {
        FaultRecord(
            number: item.value["number"]?.intValue.map { Int($0) }, kind: try item.text("kind"),
            detail: try item.text("detail"),
            injectedAtSeconds: try item.number("injected_at_s"),
            healedAtSeconds: item.optional("healed_at_s"), landed: item.value["landed"]?.boolValue ?? false,
            evidence: item.value["evidence"] ?? .null)
    }

    private static func invariant(_ item: Reading) throws(ReportJSONError) -> InvariantResult {
        let word = try item.text("verdict")
        guard let verdict = Verdict(rawValue: word) else {
            throw ReportJSONError(problem: "\(item.path).verdict: \"\(word)\" is none")
        }
        return InvariantResult(
            name: try item.text("name"), verdict: verdict, summary: try item.text("summary"),
            findings: try item.list("findings", finding), measured: item.value["measured"] ?? [:])
    }

    private static func finding(_ item: Reading) throws(ReportJSONError) -> Finding {
        Finding(
            title: try item.text("title"), expected: try item.text("expected"), seen: try item.text("seen"),
            events: item.value["events"]?.arrayValue?.compactMap { $0.intValue.map { Int($0) } } ?? [],
            time: item.optional("at_s").map(NumberText.nanoseconds),
            activeFault: try item.text("active_fault"), site: item.value["site"]?.stringValue)
    }

    private static func operation(_ member: JSONValue.Member) throws(ReportJSONError) -> OperationSummary {
        let item = Reading(member.value, at: "workload.\(member.key)")
        let failures = member.value["failures"]?.members ?? []
        return OperationSummary(
            kind: member.key, ok: try item.whole("ok"), fail: try item.whole("fail"), info: try item.whole("info"),
            latency: LatencyHistogram(), failures: failures.map { ($0.key, Int($0.value.intValue ?? 0)) })
    }

    private static func recovery(_ item: Reading) throws(ReportJSONError) -> RecoveryRecord {
        RecoveryRecord(
            fault: try item.text("fault"), firstOkSeconds: item.optional("first_ok_s"),
            fullPoolSeconds: item.optional("full_pool_s"),
            baselineThroughputSeconds: item.optional("baseline_throughput_s"),
            baselineP95Seconds: item.optional("baseline_p95_s"), lostOperations: try item.whole("lost_ops"))
    }

    /// An object, and where it stands.
    private struct Reading {
        let value: JSONValue
        let path: String

        init(_ value: JSONValue, at path: String) {
            self.value = value
            self.path = path
        }

        private func problem(_ key: String, _ expected: String) -> ReportJSONError {
            ReportJSONError(problem: "\(path.isEmpty ? key : "\(path).\(key)"): \(expected) was expected")
        }

        func text(_ key: String) throws(ReportJSONError) -> String {
            guard let text = value[key]?.stringValue else { throw problem(key, "a text") }
            return text
        }

        func number(_ key: String) throws(ReportJSONError) -> Double {
            guard let number = value[key]?.doubleValue else { throw problem(key, "a number") }
            return number
        }

        func whole(_ key: String) throws(ReportJSONError) -> Int {
            guard let number = value[key]?.intValue else { throw problem(key, "a whole number") }
            return Int(number)
        }

        func optional(_ key: String) -> Double? { value[key]?.doubleValue }

        func list<T>(
            _ key: String, _ read: (Reading) throws(ReportJSONError) -> T
        ) throws(ReportJSONError) -> [T] {
            guard let items = value[key]?.arrayValue else { throw problem(key, "a list") }
            var result: [T] = []
            for (index, item) in items.enumerated() {
                result.append(try read(Reading(item, at: "\(path.isEmpty ? key : "\(path).\(key)")[\(index)]")))
            }
            return result
        }
    }
}

extension JSONValue {
    fileprivate var members: [Member]? { if case .object(let members) = self { members } else { nil } }
    fileprivate var texts: [String]? { arrayValue?.compactMap(\.stringValue) }
}
