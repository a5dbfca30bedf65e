package import RigModel

/// `report --trend --json`, schema `chaosrig.trend/1`.
package enum TrendJSON {
    package static let schema = "chaosrig.trend/1"

    package static func encode(_ trends: [Trend], database: String) -> JSONValue {
        [
            "schema": .string(schema), "database": .string(database),
            "drift": .bool(trends.contains(where: \.hasDrift)),
            "drift_now": .bool(trends.contains(where: \.hasDriftNow)),
            "scenarios": .array(trends.map(encode)),
        ]
    }

    private static func encode(_ trend: Trend) -> JSONValue {
        [
            "scenario": .string(trend.scenario), "judged": .bool(trend.hasEnoughRuns),
            "comparable_runs": JSONValue(trend.comparable), "notes": .array(trend.notes.map { .string($0) }),
            "drift": .array(
                trend.flagged.map { entry in
                    [
                        "metric": .string(entry.series.metric.name), "kind": .string(entry.flag.kind.rawValue),
                        "run": .int(trend.runs[entry.flag.at].id), "worse": .bool(entry.flag.isWorse),
                        "reaches_newest": .bool(entry.flag.reachesNewest), "usual": .double(entry.flag.usual),
                        "seen": .double(entry.flag.seen), "words": .string(trend.words(entry.series, entry.flag)),
                    ]
                }),
            "runs": .array(
                zip(trend.runs, trend.leftOut).map { run, reason in
                    [
                        "id": .int(run.id), "folder": .string(run.folder), "started_at": .string(run.startedAt),
                        "seed": .string(run.seed), "commit": JSONValue(run.origin.commit),
                        "dirty": run.origin.isDirty.map { .bool($0) } ?? .null, "verdict": .string(run.verdict),
                        "exit_code": JSONValue(run.exitCode), "left_out": JSONValue(reason),
                    ]
                }),
            "metrics": .array(
                trend.series.map { series in
                    [
                        "name": .string(series.metric.name), "title": .string(series.metric.title),
                        "unit": .string(series.metric.unit.rawValue),
                        "direction": .string(series.metric.direction.rawValue), "judged": .bool(series.levels != nil),
                        "values": .array(series.values.map { JSONValue($0) }),
                    ]
                }),
        ]
    }
}
