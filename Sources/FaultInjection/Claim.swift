/// Something that only one fault at a time can hold. Two faults of a scenario that claim the same must not overlap.
package enum Claim: Sendable, Hashable, CustomStringConvertible {
    /// Whether the server runs.
    case serverLife
    /// Its rules for who may log in.
    case authentication
    case setting(String)
    /// The columns of the workload's tables, and who may see their rows.
    case tableColumns
    case rowPolicies
    /// The queues of the way between pool and server.
    case trafficControl
    case nameResolution
    /// Whether the devices between pool and server are up.
    case networkDevice
    /// Whether the client process runs, and what it may use.
    case clientLife
    case clientLimits
    case clientClock
    case databaseFile
    /// How far checkpoints of its log get.
    case databaseLog
    case poolerLife
    case containerLife

    package var description: String {
        switch self {
        case .serverLife: "the server's life"
        case .authentication: "the rules for logging in"
        case .setting(let name): "the setting \(name)"
        case .tableColumns: "the columns of the workload's tables"
        case .rowPolicies: "the row policies of the workload's tables"
        case .trafficControl: "traffic control"
        case .nameResolution: "name resolution"
        case .networkDevice: "the network device"
        case .clientLife: "the client's life"
        case .clientLimits: "the client's limits"
        case .clientClock: "the client's clock"
        case .databaseFile: "the database file"
        case .databaseLog: "the database's log"
        case .poolerLife: "the pooler's life"
        case .containerLife: "the container's life"
        }
    }
}
