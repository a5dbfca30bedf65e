import RigModel

/// What the metrics show of a run and the report does not keep. A fold over the history; constant memory.
struct LiveTally: Sendable {
    /// How late operations started against their schedule.
    private(set) var lag = LatencyHistogram()
    /// The last look from outside; `nil`: not seen, or no such thing here.
    private(set) var serverSessions: Int64?
    private(set) var clientSockets: Int64?
    private(set) var poolDescriptors: Int64?
    private(set) var poolResidentBytes: Int64?
    /// Times that this machine stood still, and for how long in sum.
    private(set) var stalls = 0
    private(set) var stalledNanoseconds: Int64 = 0

    mutating func observe(_ event: Event) {
        switch event.process {
        case .worker:
            if let late = event.completion?.lagNanoseconds { lag.add(nanoseconds: late) }
        case .probe: look(event)
        case .pool, .nemesis: break
        }
    }

    private mutating func look(_ event: Event) {
        switch event.function {
        case "sample":
            serverSessions = event.value["server_sessions"]?.intValue
            clientSockets = event.value["client_sockets"]?.intValue
            poolDescriptors = event.value["descriptors"]?.intValue
            poolResidentBytes = event.value["rss_bytes"]?.intValue
        case "stall":
            stalls += 1
            stalledNanoseconds += max(0, event.value["late_ns"]?.intValue ?? 0)
        default: break
        }
    }
}
