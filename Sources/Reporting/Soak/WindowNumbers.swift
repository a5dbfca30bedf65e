package import RigModel

/// What a window of a soak is compared by: load and resources of its steady phase, in which no fault is active. A fold over one
/// history; memory does not grow with it.
package struct WindowNumbers: Sendable {
    package struct Result: Sendable, Equatable {
        /// Over the whole window.
        package var ok = 0
        package var failed = 0
        package var inDoubt = 0
        /// In the steady phase, successful operations.
        package var okPerSecond: Double?
        package var p50Milliseconds: Double?
        package var p99Milliseconds: Double?
        /// Medians of the steady phase.
        package var residentBytes: Double?
        package var descriptors: Double?
        package var serverSessions: Double?

        package init() {}
    }

    private var pairing = OperationPairing()
    private var result = Result()
    private var isSteady = false
    private var steadySince: Int64 = 0
    private var steadyNanoseconds: Int64 = 0
    private var latency = LatencyHistogram()
    private var resident = EvenSample()
    private var descriptors = EvenSample()
    private var sessions = EvenSample()

    package init() {}

    package mutating func observe(_ event: Event) {
        switch event.process {
        case .worker: observeWorker(event)
        case .nemesis where event.function == "phase":
            if isSteady { steadyNanoseconds += event.time - steadySince }
            isSteady = event.value["name"]?.stringValue == "steady"
            steadySince = event.time
        case .probe where event.function == "sample" && isSteady:
            resident.add(event.value["rss_bytes"]?.doubleValue)
            descriptors.add(event.value["descriptors"]?.doubleValue)
            sessions.add(event.value["server_sessions"]?.doubleValue)
        case .nemesis, .probe, .pool: break
        }
    }

    package func finish() -> Result {
        var result = result
        if steadyNanoseconds > 0 { result.okPerSecond = Double(latency.count) / (Double(steadyNanoseconds) / 1e9) }
        func milliseconds(_ quantile: Double) -> Double? {
            latency.nanoseconds(atQuantile: quantile).map { Double($0) / 1e6 }
        }
        result.p50Milliseconds = milliseconds(0.5)
        result.p99Milliseconds = milliseconds(0.99)
        result.residentBytes = RobustStatistics.median(resident.values)
        result.descriptors = RobustStatistics.median(descriptors.values)
        result.serverSessions = RobustStatistics.median(sessions.values)
        return result
    }

    private mutating func observeWorker(_ event: Event) {
        let ended = pairing.observe(event)
        switch event.kind {
        case .ok: result.ok += 1
        case .fail: result.failed += 1
        case .info: result.inDoubt += 1
        case .invoke, .end: break
        }
        if isSteady, event.kind == .ok, let ended { latency.add(nanoseconds: ended.latencyNanoseconds) }
    }
}

extension WindowNumbers.Result {
    package var json: JSONValue {
        [
            "ok": JSONValue(ok), "fail": JSONValue(failed), "info": JSONValue(inDoubt),
            "ok_per_s": JSONValue(okPerSecond), "p50_ms": JSONValue(p50Milliseconds),
            "p99_ms": JSONValue(p99Milliseconds), "rss_bytes": JSONValue(residentBytes),
            "descriptors": JSONValue(descriptors), "server_sessions": JSONValue(serverSessions),
        ]
    }

    package init(_ json: JSONValue) {
        func count(_ name: String) -> Int { json[name]?.intValue.map { Int($0) } ?? 0 }
        ok = count("ok")
        failed = count("fail")
        inDoubt = count("info")
        okPerSecond = json["ok_per_s"]?.doubleValue
        p50Milliseconds = json["p50_ms"]?.doubleValue
        p99Milliseconds = json["p99_ms"]?.doubleValue
        residentBytes = json["rss_bytes"]?.doubleValue
        descriptors = json["descriptors"]?.doubleValue
        serverSessions = json["server_sessions"]?.doubleValue
    }
}
