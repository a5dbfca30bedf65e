package import RigModel
import Threading

extension CutRule: CustomStringConvertible {
    /// One sentence, for example: before CommandComplete (downstream) with tag COMMIT, at most 3 times: reset the
    /// connection.
    package var description: String {
        var where_: String
        switch place {
        case .before: where_ = "before \(message.name)"
        case .after: where_ = "after \(message.name)"
        case .inside(let bytes):
            where_ = "inside \(message.name) \(bytes.map { "after \($0) bytes" } ?? "at its half")"
        }
        where_ += " (\(stream.rawValue))"
        return ([where_] + conditions).joined(separator: ", ") + ": " + deed
    }

    private var conditions: [String] {
        var parts: [String] = []
        if let pattern = match.statement { parts.append("statement matches /\(pattern)/") }
        if let tag = match.tag { parts.append("tag \(tag)") }
        if let status = match.transaction { parts.append("transaction \(status.rawValue)") }
        if let name = match.application { parts.append("application \(name)") }
        if let user = match.user { parts.append("user \(user)") }
        if let nth = match.nth { parts.append("match number \(nth) only") }
        if let every = match.every { parts.append("every \(every) matches") }
        if let times = match.times { parts.append("at most \(times) times") }
        if let share = match.share { parts.append("\(share) of the matches (seed \(seed))") }
        return parts
    }

    private var deed: String {
        switch action {
        case .reset: "reset the connection"
        case .finish: "close the connection"
        case .blackhole(let streams):
            "swallow everything \(streams.map(\.rawValue).joined(separator: " and ")) from now on"
        case .delay(let duration): "hold the stream for \(TimeText.words(nanoseconds: duration.nanoseconds))"
        case .truncate(let bytes, let manner):
            "let \(bytes) bytes of it go on, then \(manner == .reset ? "reset" : "close") the connection"
        case .error(let error):
            "answer with \(error.severity.rawValue) \(error.sqlState) \"\(error.message)\" instead"
        }
    }

    /// What ``init(json:)`` reads again as the same value.
    package var json: JSONValue {
        var members: [JSONValue.Member] = []
        func add(_ key: String, _ value: JSONValue?) { if let value { members.append(.init(key, value)) } }
        switch place {
        case .before: add("at", "before")
        case .after: add("at", "after")
        case .inside(let bytes):
            add("at", "inside")
            add("bytes", bytes.map { JSONValue($0) })
        }
        add("message", .string(message.name))
        add("stream", .string(stream.rawValue))
        add("statement", match.statement.map { .string($0.source) })
        add("tag", match.tag.map { .string($0) })
        add("transaction", match.transaction.map { .string($0.rawValue) })
        add("application", match.application.map { .string($0) })
        add("user", match.user.map { .string($0) })
        add("nth", match.nth.map { JSONValue($0) })
        add("every", match.every.map { JSONValue($0) })
        add("times", match.times.map { JSONValue($0) })
        add("share", match.share.map { .double($0) })
        if seed != 0 { add("seed", seed <= UInt64(Int64.max) ? .int(Int64(seed)) : .string(String(seed))) }
        switch action {
        case .reset: add("action", "reset")
        case .finish: add("action", "finish")
        case .blackhole(let streams):
            add("action", "blackhole")
            add("streams", .string(streams.count == 1 ? streams[0].rawValue : "both"))
        case .delay(let duration):
            add("action", "delay")
            add("delay", .string("\(duration.nanoseconds)ns"))
        case .truncate(let bytes, let manner):
            add("action", "truncate")
            add("bytes", JSONValue(bytes))
            add("manner", .string(manner.rawValue))
        case .error(let error):
            add("action", "error")
            add("sqlstate", .string(error.sqlState))
            add("text", .string(error.message))
            add("severity", .string(error.severity.rawValue))
        }
        return .object(members)
    }
}
