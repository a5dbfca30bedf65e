// One event, one line of history.jsonl. Keys, their order and their meaning: docs/history.md.

extension Event {
    /// Appends the event as one JSON object without a line feed, without intermediate values (2 µs in a debug build).
    ///
    /// A completion is written as `attempt` and the fields behind it, those that are `nil` left out, so that its
    /// absence can be read back.
    public func write(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: #"{"i":"#.utf8)
        Self.write(index, to: &bytes)
        Self.write(#","t":"#, time, to: &bytes)
        bytes.append(contentsOf: #","type":""#.utf8)
        bytes.append(contentsOf: kind.rawValue.utf8)
        bytes.append(contentsOf: #"","process":"#.utf8)
        switch process {
        case .worker(let number): Self.write(number, to: &bytes)
        case .nemesis: bytes.append(contentsOf: #""nemesis""#.utf8)
        case .pool: bytes.append(contentsOf: #""pool""#.utf8)
        case .probe: bytes.append(contentsOf: #""probe""#.utf8)
        }
        bytes.append(contentsOf: #","f":"#.utf8)
        JSONValue.write(function, to: &bytes)
        bytes.append(contentsOf: #","value":"#.utf8)
        value.write(to: &bytes)
        completion?.writeFields(to: &bytes)
        bytes.append(UInt8(ascii: "}"))
    }

    /// The event as one JSON object, without a line feed.
    public var line: String {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    fileprivate static func write(_ number: some BinaryInteger, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: String(number).utf8)
    }

    fileprivate static func write(_ key: String, _ number: (some BinaryInteger)?, to bytes: inout [UInt8]) {
        guard let number else { return }
        bytes.append(contentsOf: key.utf8)
        write(number, to: &bytes)
    }
}

extension Completion {
    fileprivate func writeFields(to bytes: inout [UInt8]) {
        Event.write(#","attempt":"#, attempt, to: &bytes)
        Event.write(#","conn":"#, connection, to: &bytes)
        Event.write(#","pid":"#, backendPID, to: &bytes)
        Event.write(#","acquire_ns":"#, acquireNanoseconds, to: &bytes)
        Event.write(#","query_ns":"#, queryNanoseconds, to: &bytes)
        Event.write(#","release_ns":"#, releaseNanoseconds, to: &bytes)
        Event.write(#","lag_ns":"#, lagNanoseconds, to: &bytes)
        Event.write(#","leased_ns":"#, leasedAt, to: &bytes)
        Event.write(#","returned_ns":"#, returnedAt, to: &bytes)
        if let notes {
            bytes.append(contentsOf: #","notes":"#.utf8)
            notes.write(to: &bytes)
        }
        if let error {
            bytes.append(contentsOf: #","error":"#.utf8)
            error.jsonValue.write(to: &bytes)
        }
        if !attempts.isEmpty {
            bytes.append(contentsOf: #","attempts":"#.utf8)
            JSONValue.array(attempts.map(\.jsonValue)).write(to: &bytes)
        }
    }
}

extension FailureDescription {
    /// `{"phase","class","sqlstate","message"}`.
    public var jsonValue: JSONValue {
        [
            "phase": .string(phase.rawValue), "class": .string(failureClass), "sqlstate": JSONValue(code),
            "message": .string(message),
        ]
    }
}

extension Attempt {
    /// `{"n","outcome","error","delay_ns","idempotent","inside_open_transaction"}`, and `"doubt"`, `"conn"` and `"leased_ns"` where
    /// there was one.
    public var jsonValue: JSONValue {
        var members = [
            JSONValue.Member("n", JSONValue(number)), .init("outcome", .string(outcome.rawValue)),
            .init("error", error?.jsonValue ?? .null), .init("delay_ns", delayNanoseconds.map(JSONValue.int) ?? .null),
            .init("idempotent", .bool(isIdempotent)), .init("inside_open_transaction", .bool(insideOpenTransaction)),
        ]
        if let doubt { members.append(.init("doubt", doubt.jsonValue)) }
        if let connection { members.append(.init("conn", JSONValue(connection))) }
        if let leasedAt { members.append(.init("leased_ns", .int(leasedAt))) }
        return .object(members)
    }
}

extension CommitDoubt {
    /// `{"transaction","end","asked_ns"}`.
    public var jsonValue: JSONValue {
        ["transaction": JSONValue(transactionID), "end": .string(end.rawValue), "asked_ns": .int(askedNanoseconds)]
    }

    fileprivate init?(_ fields: EventFields?) throws(EventCodingError) {
        guard let fields else { return nil }
        self.init(
            transactionID: try fields.optional("transaction", "a text or null") { $0.stringValue },
            end: try fields.require("end", "committed, aborted or unknown") {
                $0.stringValue.flatMap(End.init(rawValue:))
            },
            askedNanoseconds: try fields.duration("asked_ns") ?? 0)
    }
}

/// Why a line is not an event.
public enum EventCodingError: Error, Equatable, CustomStringConvertible {
    case syntax(JSONSyntaxError)
    /// The value under `key` is missing or of another sort.
    case field(key: String, expected: String, seen: String)

    public var description: String {
        switch self {
        case .syntax(let error): error.description
        case .field(let key, let expected, let seen):
            "not an event of a history: \"\(key)\" should be \(expected), but is \(seen)"
        }
    }
}

extension Event {
    /// Times and durations beyond this (146 years) are refused, so that sums of two never overflow.
    public static let timeLimit: Int64 = 1 << 62 - 1

    /// Workers' numbers beyond this (what JSON carries exactly) are refused, so that there is always a next one.
    private static let workerLimit: ClosedRange<Int64> = 0...(1 << 53)

    /// Reads one line of `history.jsonl`, with or without its line feed. Unknown keys are ignored.
    ///
    /// - Throws: ``EventCodingError`` that names the key, what was expected and what was seen.
    public init(line: ArraySlice<UInt8>) throws(EventCodingError) {
        let json: JSONValue
        do { json = try JSONValue(parsing: line) } catch { throw .syntax(error) }
        try self.init(json: json)
    }

    /// The same for a text.
    public init(line: String) throws(EventCodingError) { try self.init(line: Array(line.utf8)[...]) }

    /// The event in a JSON object.
    public init(json: JSONValue) throws(EventCodingError) {
        let fields = EventFields(json)
        self.init(
            index: Int(try fields.require("i", "a number from 0") { $0.intValue.flatMap { $0 >= 0 ? $0 : nil } }),
            time: try fields.require("t", "nanoseconds from 0") { $0.intValue.flatMap { EventFields.time($0) } },
            kind: try fields.require("type", "invoke, ok, fail, info or end") {
                $0.stringValue.flatMap(Event.Kind.init(rawValue:))
            },
            process: try fields.require("process", "a worker's number, nemesis, pool or probe") { value in
                switch value {
                case .int(let number): Event.workerLimit.contains(number) ? .worker(Int(number)) : nil
                case .string("nemesis"): .nemesis
                case .string("pool"): .pool
                case .string("probe"): .probe
                default: nil
                }
            },
            function: try fields.require("f", "a text") { $0.stringValue },
            value: json["value"] ?? .null,
            completion: try Completion(fields))
    }
}

extension Completion {
    /// `nil` when the event has no `attempt`, which every completion with details has.
    fileprivate init?(_ fields: EventFields) throws(EventCodingError) {
        guard let attempt = try fields.integer("attempt") else { return nil }
        self.init(
            attempt: Int(attempt), connection: try fields.integer("conn").map(Int.init),
            backendPID: try fields.integer("pid").map(Int.init), acquireNanoseconds: try fields.duration("acquire_ns"),
            queryNanoseconds: try fields.duration("query_ns"), releaseNanoseconds: try fields.duration("release_ns"),
            lagNanoseconds: try fields.duration("lag_ns"), error: try FailureDescription(fields.object("error")),
            leasedAt: try fields.duration("leased_ns"), returnedAt: try fields.duration("returned_ns"),
            notes: try fields.optional("notes", "an object") { if case .object = $0 { $0 } else { nil } })
        for item in try fields.optional("attempts", "a list", { $0.arrayValue }) ?? [] {
            attempts.append(try Attempt(EventFields(item)))
        }
    }
}

extension Attempt {
    fileprivate init(_ fields: EventFields) throws(EventCodingError) {
        self.init(
            number: Int(try fields.require("n", "a number") { $0.intValue }),
            outcome: try fields.require("outcome", "ok, fail or info") {
                $0.stringValue.flatMap(Outcome.init(rawValue:))
            },
            error: try FailureDescription(fields.object("error")), delayNanoseconds: try fields.duration("delay_ns"),
            isIdempotent: try fields.require("idempotent", "true or false") { $0.boolValue },
            insideOpenTransaction: try fields.require("inside_open_transaction", "true or false") { $0.boolValue },
            doubt: try CommitDoubt(fields.object("doubt")), connection: try fields.integer("conn").map(Int.init),
            leasedAt: try fields.duration("leased_ns"))
    }
}

extension FailureDescription {
    fileprivate init?(_ fields: EventFields?) throws(EventCodingError) {
        guard let fields else { return nil }
        self.init(
            phase: try fields.require("phase", "a phase of an operation") {
                $0.stringValue.flatMap(OperationPhase.init(rawValue:))
            },
            failureClass: try fields.require("class", "a text") { $0.stringValue },
            code: try fields.optional("sqlstate", "a text or null") { $0.stringValue },
            message: try fields.require("message", "a text") { $0.stringValue })
    }
}

/// An object with getters whose errors name the key.
private struct EventFields {
    private let json: JSONValue

    init(_ json: JSONValue) { self.json = json }

    static func time(_ number: Int64) -> Int64? { (0...Event.timeLimit).contains(number) ? number : nil }

    func require<T>(
        _ key: String, _ expected: String, _ convert: (JSONValue) -> T?
    ) throws(EventCodingError) -> T {
        if let raw = json[key], let value = convert(raw) { return value }
        throw .field(key: key, expected: expected, seen: seen(key))
    }

    /// `nil` when the key is absent or null.
    func optional<T>(
        _ key: String, _ expected: String, _ convert: (JSONValue) -> T?
    ) throws(EventCodingError) -> T? {
        guard let raw = json[key], raw != .null else { return nil }
        if let value = convert(raw) { return value }
        throw .field(key: key, expected: expected, seen: seen(key))
    }

    func integer(_ key: String) throws(EventCodingError) -> Int64? {
        try optional(key, "a whole number") { $0.intValue }
    }

    func duration(_ key: String) throws(EventCodingError) -> Int64? {
        try optional(key, "nanoseconds from 0") { $0.intValue.flatMap { Self.time($0) } }
    }

    func object(_ key: String) throws(EventCodingError) -> EventFields? {
        try optional(key, "an object") { if case .object = $0 { EventFields($0) } else { nil } }
    }

    private func seen(_ key: String) -> String {
        guard case .object = json else { return "not there, for the line is not an object" }
        guard let value = json[key] else { return "missing" }
        let text = value.compactText
        return text.count > 60 ? "\(text.prefix(60))…" : text
    }
}
