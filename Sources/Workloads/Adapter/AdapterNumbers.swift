import RigModel

/// The numbers of connections over several lives of an adapter: each life counts its own from 1, and the history needs numbers
/// that are used once. Pure.
struct AdapterNumbers {
    /// Nobody opens so many connections, and their sum over a million lives is still a number.
    private static let limit = 1 << 40
    private var base = 0
    private var highest = 0
    /// Open by what the adapter has told, with their server processes.
    private var open: [Int: JSONValue] = [:]
    /// Of an adapter that does not tell of its connections: those that were seen in answers, by server process.
    private var byPID: [Int: Int] = [:]

    /// - Parameter own: of this life; beyond ``limit`` in either direction it is taken for that.
    mutating func number(_ own: Int) -> Int {
        let number = base + min(max(own, -Self.limit), Self.limit)
        highest = max(highest, number)
        return number
    }

    /// Puts the number into an event of the adapter, and notes what it says.
    mutating func renumber(_ function: String, _ value: JSONValue) -> JSONValue {
        guard case .object(var members) = value, let index = members.firstIndex(where: { $0.key == "conn" }),
            let own = members[index].value.intValue
        else { return value }
        let number = number(Int(clamping: own))
        members[index].value = JSONValue(number)
        if function == "connection-opened" { open[number] = value["pid"] ?? .null }
        if function == "connection-closed" { open[number] = nil }
        return .object(members)
    }

    /// The number of the connection to this server process.
    ///
    /// - Returns: with `true` when it is seen for the first time.
    mutating func number(ofPID pid: Int) -> (number: Int, isNew: Bool) {
        if let known = byPID[pid] { return (known, false) }
        let number = number(byPID.count + 1)
        byPID[pid] = number
        open[number] = JSONValue(pid)
        return (number, true)
    }

    /// The life has ended, and with it its connections.
    ///
    /// - Returns: an event value for each that was open.
    mutating func endLife() -> [JSONValue] {
        defer {
            open = [:]
            byPID = [:]
            base = highest
        }
        return open.sorted { $0.key < $1.key }.map { number, pid in
            ["conn": JSONValue(number), "pid": pid, "reason": "process-ended"]
        }
    }
}
