import RigModel

/// Gives the connections in what a pool tells other numbers.
struct NumberingSink: EventSink {
    private let sink: any EventSink
    private let offset: Int

    init(_ sink: any EventSink, offset: Int) {
        self.sink = sink
        self.offset = offset
    }

    func record(
        _ kind: Event.Kind, _ process: Event.Process, _ function: String, _ value: JSONValue, _ completion: Completion?
    ) -> Int64 {
        sink.record(kind, process, function, Self.renumber(value, by: offset), completion)
    }

    /// The same for what an operation used, in each of its attempts.
    static func renumber(_ completion: inout Completion, by offset: Int) {
        completion.connection = completion.connection.map { $0 + offset }
        for position in completion.attempts.indices {
            completion.attempts[position].connection = completion.attempts[position].connection.map { $0 + offset }
        }
    }

    static func renumber(_ value: JSONValue, by offset: Int) -> JSONValue {
        guard case .object(let members) = value else { return value }
        return .object(
            members.map { member in
                guard member.key == "conn", let number = member.value.intValue else { return member }
                return JSONValue.Member("conn", .int(number + Int64(offset)))
            })
    }
}
