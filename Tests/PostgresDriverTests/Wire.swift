/// Messages of PostgreSQL's protocol 3.0, as a server writes them.
enum Wire {
    static let authenticationOK = message("R", [0, 0, 0, 0])
    static let askPassword = message("R", [0, 0, 0, 3])
    static let keyData = message("K", [0, 0, 16, 225, 0, 0, 0, 1])  // process 4321
    static let prepared = message("1") + message("2")
    static let noData = message("n")

    static func ready(_ status: Character) -> [UInt8] { message("Z", [status.asciiValue ?? 0]) }
    static func done(_ tag: String) -> [UInt8] { message("C", text(tag)) }

    /// The whole answer to a statement without rows, without ReadyForQuery.
    static func command(_ tag: String) -> [UInt8] { prepared + noData + done(tag) }

    static func error(_ severity: String, _ sqlState: String, _ words: String) -> [UInt8] {
        message("E", fields(severity, sqlState, words))
    }

    static func notice(_ severity: String, _ sqlState: String, _ words: String) -> [UInt8] {
        message("N", fields(severity, sqlState, words))
    }

    static func message(_ type: Character, _ body: [UInt8] = []) -> [UInt8] {
        let length = UInt32(body.count + 4)
        return [type.asciiValue ?? 0] + (0..<4).reversed().map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + body
    }

    private static func fields(_ severity: String, _ sqlState: String, _ words: String) -> [UInt8] {
        let all: [(Character, String)] = [("S", severity), ("V", severity), ("C", sqlState), ("M", words)]
        return all.flatMap { [$0.asciiValue ?? 0] + text($1) } + [0]
    }

    private static func text(_ value: String) -> [UInt8] { Array(value.utf8) + [0] }
}
