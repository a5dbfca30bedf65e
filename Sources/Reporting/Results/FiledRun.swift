package import RigModel

/// One run as the results database keeps it.
package struct FiledRun: Sendable, Equatable {
    package struct Invariant: Sendable, Equatable {
        package var name: String
        package var verdict: String
        package var findings: Int
    }

    package struct Operation: Sendable, Equatable {
        package var kind: String
        package var ok: Int
        package var fail: Int
        package var info: Int
        /// Milliseconds.
        package var p50: Double?
        package var p90: Double?
        package var p99: Double?
        package var p999: Double?
        package var max: Double?
    }

    package struct Recovery: Sendable, Equatable {
        /// `restart #0`.
        package var fault: String
        package var firstOkSeconds: Double?
        package var fullPoolSeconds: Double?
        package var throughputSeconds: Double?
        package var p95Seconds: Double?
        package var lostOperations: Int?

        /// Without the number of the injection.
        package var kind: String { fault.split(separator: " #").first.map(String.init) ?? fault }
    }

    package struct Measure: Sendable, Equatable {
        package var name: String
        package var value: Double
    }

    /// The number by which `compare` finds it; 0 while it is not in the database.
    package var id: Int64 = 0
    /// The run folder; relative to the database's folder where it lies in it.
    package var folder: String
    package var scenario: String
    /// Of the resolved scenario: runs with another one did something else.
    package var scenarioHash: String
    package var scenarioText: String
    package var seed: String
    /// RFC 3339, UTC.
    package var startedAt: String
    package var durationSeconds: Double
    package var verdict: String
    package var exitCode: Int
    package var origin: RunOrigin
    package var invariants: [Invariant]
    package var operations: [Operation]
    package var recoveries: [Recovery]
    package var measures: [Measure]

    /// The measure that says how many threads of the machine ran or waited for a processor, on average.
    package static let runnableThreads = "machine_runnable_mean"

    /// 1 where a signal ended the run: its exit code tells that only where nothing was left behind.
    static let interrupted = "interrupted"
    /// How many whole windows a soak has.
    static let soakWindows = "windows"

    package func measure(_ name: String) -> Double? { measures.first { $0.name == name }?.value }

    /// Ended by a signal: it has not done what the others did.
    package var wasInterrupted: Bool { exitCode >= 128 || measure(Self.interrupted) != nil }
}

extension FiledRun {
    /// From `report.json`. Versions before the one that filed runs leave gaps.
    ///
    /// - Parameters:
    ///   - hash: of the resolved scenario; empty where it is not known.
    ///   - folder: as ``folder``.
    /// - Throws: ``ResultsError/notAReport(path:problem:)``.
    package init(
        report: JSONValue, folder: String, scenarioText: String, scenarioHash hash: String
    ) throws(ResultsError) {
        func missing(_ what: String) -> ResultsError { .notAReport(path: folder, problem: what) }
        guard let schema = report["schema"]?.stringValue, schema == RunReport.schema else {
            throw missing(
                "its schema is \(report["schema"]?.stringValue ?? "not named"), and this version reads \(RunReport.schema)"
            )
        }
        guard let scenario = report["scenario"]?.stringValue else { throw missing("it names no scenario") }
        guard let startedAt = report["started_at"]?.stringValue else { throw missing("it has no started_at") }
        guard let seed = report["seed"].flatMap({ $0.intValue.map { "\($0)" } ?? $0.stringValue }) else {
            throw missing("it has no seed")
        }
        guard let verdict = report["verdict"]?.stringValue, Verdict(rawValue: verdict) != nil else {
            throw missing("it has no verdict")
        }
        // It has no machine, no server and no numbers.
        if report["resources"]?[Self.soakWindows]?.doubleValue == 0 { throw missing("no window of it is whole") }
        self.folder = folder
        self.scenario = scenario
        scenarioHash = hash
        self.scenarioText = scenarioText
        self.seed = seed
        self.startedAt = startedAt
        durationSeconds = report["duration_s"]?.doubleValue ?? 0
        self.verdict = verdict
        exitCode = Int(report["exit_code"]?.intValue ?? 0)
        origin = RunOrigin(report["environment"] ?? .null)
        invariants = (report["invariants"]?.arrayValue ?? []).compactMap { value in
            guard let name = value["name"]?.stringValue else { return nil }
            return Invariant(
                name: name, verdict: value["verdict"]?.stringValue ?? "unknown",
                findings: value["findings"]?.arrayValue?.count ?? 0)
        }
        operations = Self.members(report["workload"]).map { Operation($0.key, $0.value) }
        recoveries = (report["recovery"]?.arrayValue ?? []).compactMap { Recovery($0) }
        var measures = Self.members(report["resources"]).compactMap { member in
            member.value.doubleValue.map { Measure(name: member.key, value: $0) }
        }
        func add(_ name: String, _ value: JSONValue?) {
            if let value = value?.doubleValue { measures.append(Measure(name: name, value: value)) }
        }
        add("acquire_wait_p99_ms", report["pool"]?["acquireWait_ms"]?["p99"])
        add("connect_p50_ms", report["pool"]?["connectTime_ms"]?["p50"])
        add("dropped_operations", report["dropped_operations"])
        let notes = report["notes"]?.arrayValue?.compactMap(\.stringValue) ?? []
        if notes.contains(where: SignalName.isInterruption) {
            measures.append(Measure(name: Self.interrupted, value: 1))
        }
        self.measures = measures
    }

    private static func members(_ value: JSONValue?) -> [JSONValue.Member] {
        if case .object(let members) = value { members } else { [] }
    }
}

extension FiledRun.Operation {
    fileprivate init(_ kind: String, _ value: JSONValue) {
        let latency = value["latency_ms"] ?? .null
        self.init(
            kind: kind, ok: Int(value["ok"]?.intValue ?? 0), fail: Int(value["fail"]?.intValue ?? 0),
            info: Int(value["info"]?.intValue ?? 0), p50: latency["p50"]?.doubleValue,
            p90: latency["p90"]?.doubleValue, p99: latency["p99"]?.doubleValue, p999: latency["p999"]?.doubleValue,
            max: latency["max"]?.doubleValue)
    }
}

extension FiledRun.Recovery {
    fileprivate init?(_ value: JSONValue) {
        guard let fault = value["fault"]?.stringValue else { return nil }
        self.init(
            fault: fault, firstOkSeconds: value["first_ok_s"]?.doubleValue,
            fullPoolSeconds: value["full_pool_s"]?.doubleValue,
            throughputSeconds: value["baseline_throughput_s"]?.doubleValue,
            p95Seconds: value["baseline_p95_s"]?.doubleValue,
            lostOperations: value["lost_ops"]?.intValue.map(Int.init))
    }
}
