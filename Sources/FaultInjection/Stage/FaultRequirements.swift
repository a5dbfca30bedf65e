import RigModel

/// What faults need that a target does not have, or cannot stand that it has. Pure.
package enum FaultRequirements {
    /// One sentence for each fault that cannot work here, each fault once.
    package static func missing(_ faults: [any Fault], available: Set<StagePart>) -> [String] {
        var sentences: [String] = []
        for fault in faults {
            for part in StagePart.allCases where fault.needs.contains(part) && !available.contains(part) {
                let sentence = "\(type(of: fault).shape.name) \(reason(part))"
                if !sentences.contains(sentence) { sentences.append(sentence) }
            }
            for (part, reason) in fault.excludes where available.contains(part) {
                let sentence = "\(type(of: fault).shape.name) \(reason)"
                if !sentences.contains(sentence) { sentences.append(sentence) }
            }
        }
        return sentences
    }

    private static func reason(_ part: StagePart) -> String {
        switch part {
        case .sessions: "needs a PostgreSQL server whose sessions can be ended; this target has none"
        case .server:
            "needs the server's host: only a server that the rig started (target: {postgres: managed}) can be stopped "
                + "and started; one given by url can only be reached"
        case .link: "needs a network between pool and server; this target has none"
        case .statements: "needs a PostgreSQL server; this target has none"
        case .settings: "needs a server of the run's own (target: {postgres: managed}), whose settings it may change"
        case .standby: "needs a second server: target: {postgres: managed, standby: true}"
        case .certificates: "needs a server with TLS: target: {postgres: managed, tls: true}"
        case .names: "needs a pool that looks its server up by a name: target: {postgres: managed, name: true}"
        case .client: "needs the pool in a process of its own: pool: {process: child}"
        case .pooler: "needs a PgBouncer of the run's own: target: {postgres: managed, pgbouncer: session}"
        case .containers: "needs a service of a compose file: target: {compose: NAME}"
        case .secret:
            "changes the password that the pool logs in with, which the rig can only do in its own process and without a "
                + "PgBouncer: target: {postgres: managed}, pool: {process: rig}"
        case .file: "needs an embedded database (target: {sqlite: temporary}); this target has a server"
        }
    }
}
