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
    /// Slots of the server for sessions.
    case connectionSlots
    /// Whether the rig itself can open sessions in the pool's database.
    case rigSessions

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
        case .connectionSlots: "the server's connection slots"
        case .rigSessions: "new sessions of the rig"
        }
    }

    /// What one of two faults holds while the other holds or uses it, so that they must not meet; `nil` when they may.
    static func disputed(by one: any Fault, _ other: any Fault) -> Claim? {
        one.claims.intersection(other.claims.union(other.uses)).union(other.claims.intersection(one.uses))
            .min { $0.description < $1.description }
    }
}
