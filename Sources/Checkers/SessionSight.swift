import RigModel

/// Whether the rig saw the server's own sessions, by the numbers of their processes: behind a pooler it sees the pooler's clients,
/// which have none. A mergeable fold in constant memory.
struct SessionSight: Sendable {
    private(set) var isOfServer = false

    mutating func observe(_ event: Event) {
        guard !isOfServer, event.process == .probe else { return }
        switch event.function {
        case "session-ended": isOfServer = !(event.value["pids"]?.arrayValue ?? []).isEmpty
        case "orphan": isOfServer = true
        case "books":
            isOfServer = (event.value["sessions"]?.arrayValue ?? []).contains { $0["pid"]?.intValue != nil }
        default: break
        }
    }

    mutating func merge(_ other: SessionSight) { isOfServer = isOfServer || other.isOfServer }
}
