package import RigModel

/// One window of a soak: a history of its own, judged by itself. Plain values, also in `soak.json`.
package struct SoakWindow: Sendable, Equatable {
    /// A finding in one line; the whole of it is in the window's report.
    package struct Found: Sendable, Equatable {
        package var invariant: String
        package var title: String
        package var activeFault: String
        package var site: String?

        package init(invariant: String, title: String, activeFault: String, site: String?) {
            self.invariant = invariant
            self.title = title
            self.activeFault = activeFault
            self.site = site
        }
    }

    package struct Injected: Sendable, Equatable {
        package var kind: String
        package var landed: Bool

        package init(kind: String, landed: Bool) {
            self.kind = kind
            self.landed = landed
        }
    }

    package struct Judged: Sendable, Equatable {
        package var name: String
        package var verdict: Verdict

        package init(name: String, verdict: Verdict) {
            self.name = name
            self.verdict = verdict
        }
    }

    /// Counts from 1, over the whole soak.
    package var number: Int
    /// Counts from 1. All windows of a segment share a pool, a server and a process.
    package var segment: Int
    package var seed: UInt64
    /// RFC 3339, UTC. For people: nothing is computed from it.
    package var startedAt: String
    package var seconds: Double
    package var verdict: Verdict
    package var notes: [String] = []
    package var invariants: [Judged] = []
    package var findings: [Found] = []
    /// How many there were; ``findings`` has the first ones.
    package var findingCount = 0
    package var faults: [Injected] = []
    package var numbers = WindowNumbers.Result()
    /// Seconds from a heal until the pool was full again; the longest of the window.
    package var slowestRecoverySeconds: Double?
    /// Of the whole history, as it was written.
    package var historyBytes = 0
    /// What is left of it.
    package var keptBytes = 0
    /// Of its `report.html`; 0: it has none.
    package var pageBytes = 0
    /// Of its `report.json`; 0: it was removed.
    package var reportBytes = 0
    /// Of all its files.
    package var diskBytes: Int { keptBytes + pageBytes + reportBytes }

    package init(number: Int, segment: Int, seed: UInt64, startedAt: String, seconds: Double, verdict: Verdict) {
        self.number = number
        self.segment = segment
        self.seed = seed
        self.startedAt = startedAt
        self.seconds = seconds
        self.verdict = verdict
    }

    /// Where a window's files are, in the soak's folder.
    package static func folder(_ number: Int) -> String {
        let digits = String(number)
        return "windows/" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}

extension SoakWindow {
    private static let listedFindings = 20

    /// Of a window's report.
    package init(
        _ report: RunReport, number: Int, segment: Int, numbers: WindowNumbers.Result, historyBytes: Int
    ) {
        self.init(
            number: number, segment: segment, seed: report.seed, startedAt: report.startedAt,
            seconds: report.durationSeconds, verdict: report.verdict)
        notes = report.notes
        invariants = report.invariants.map { Judged(name: $0.name, verdict: $0.verdict) }
        let all = report.invariants.flatMap { result in
            result.findings.map {
                Found(invariant: result.name, title: $0.title, activeFault: $0.activeFault, site: $0.site)
            }
        }
        findings = Array(all.prefix(Self.listedFindings))
        findingCount = all.count
        faults = report.faults.map { Injected(kind: $0.kind, landed: $0.landed) }
        self.numbers = numbers
        slowestRecoverySeconds = report.recovery.compactMap(\.fullPoolSeconds).max()
        self.historyBytes = historyBytes
    }

    package var json: JSONValue {
        [
            "number": JSONValue(number), "segment": JSONValue(segment), "seed": .string(String(seed)),
            "started_at": .string(startedAt), "duration_s": .double(seconds), "verdict": .string(verdict.rawValue),
            "notes": .array(notes.map(JSONValue.string)),
            "invariants": .object(invariants.map { JSONValue.Member($0.name, .string($0.verdict.rawValue)) }),
            "findings": .array(
                findings.map {
                    [
                        "invariant": .string($0.invariant), "title": .string($0.title),
                        "active_fault": .string($0.activeFault), "site": JSONValue($0.site),
                    ]
                }),
            "finding_count": JSONValue(findingCount),
            "faults": .array(faults.map { ["kind": .string($0.kind), "landed": .bool($0.landed)] }),
            "numbers": numbers.json, "slowest_recovery_s": JSONValue(slowestRecoverySeconds),
            "history_bytes": JSONValue(historyBytes), "kept_bytes": JSONValue(keptBytes),
            "page_bytes": JSONValue(pageBytes), "report_bytes": JSONValue(reportBytes),
        ]
    }

    /// `nil` where something is missing or of another type.
    package init?(_ json: JSONValue) {
        guard let number = json["number"]?.intValue, let segment = json["segment"]?.intValue,
            let seed = json["seed"]?.stringValue.flatMap(UInt64.init), let startedAt = json["started_at"]?.stringValue,
            let seconds = json["duration_s"]?.doubleValue,
            let verdict = json["verdict"]?.stringValue.flatMap(Verdict.init), let numbers = json["numbers"],
            case .object(let invariants)? = json["invariants"], let findings = json["findings"]?.arrayValue,
            let faults = json["faults"]?.arrayValue, let notes = json["notes"]?.arrayValue
        else { return nil }
        self.init(
            number: Int(number), segment: Int(segment), seed: seed, startedAt: startedAt, seconds: seconds,
            verdict: verdict)
        self.notes = notes.compactMap(\.stringValue)
        self.invariants = invariants.compactMap { member in
            member.value.stringValue.flatMap(Verdict.init).map { Judged(name: member.key, verdict: $0) }
        }
        self.findings = findings.map {
            Found(
                invariant: $0["invariant"]?.stringValue ?? "", title: $0["title"]?.stringValue ?? "",
                activeFault: $0["active_fault"]?.stringValue ?? "", site: $0["site"]?.stringValue)
        }
        findingCount = json["finding_count"]?.intValue.map { Int($0) } ?? findings.count
        self.faults = faults.map {
            Injected(kind: $0["kind"]?.stringValue ?? "", landed: $0["landed"]?.boolValue ?? false)
        }
        self.numbers = WindowNumbers.Result(numbers)
        slowestRecoverySeconds = json["slowest_recovery_s"]?.doubleValue
        historyBytes = json["history_bytes"]?.intValue.map { Int($0) } ?? 0
        keptBytes = json["kept_bytes"]?.intValue.map { Int($0) } ?? 0
        pageBytes = json["page_bytes"]?.intValue.map { Int($0) } ?? 0
        reportBytes = json["report_bytes"]?.intValue.map { Int($0) } ?? 0
    }
}
