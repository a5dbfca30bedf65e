import CLibPQ

/// An error or notice of the server, or a complaint of libpq itself.
struct ServerMessage: Sendable, Equatable {
    /// `ERROR`, `FATAL`, `PANIC`, `WARNING`, …, never translated; `nil` when libpq itself speaks.
    var severity: String?
    /// `nil` when libpq itself speaks.
    var sqlState: String?
    /// One line.
    var text: String
    /// The function of the server that speaks, never translated.
    var routine: String?

    /// The session is over after this one.
    var isFatal: Bool { severity == "FATAL" || severity == "PANIC" }

    /// Says that the session ends. A server that stops at once, or after a crash, says so in a WARNING with a code of the
    /// class 57P, and closes.
    var announcesEnd: Bool { sqlState != nil && (isFatal || sqlState?.hasPrefix("57P") == true) }

    var oneLine: String { (severity.map { "\($0): " } ?? "") + text }
}

extension ServerMessage {
    /// Copies what a result of libpq says.
    init(_ result: OpaquePointer) {
        func field(_ code: Character) -> String? {
            guard let value = PQresultErrorField(result, Int32(code.asciiValue ?? 0)) else { return nil }
            return String(cString: value)
        }
        severity = field("V") ?? field("S")
        sqlState = field("C")
        routine = field("R")
        // Where it happened: a line of a COPY, a function. The outer callers are left out.
        let place = field("W")?.split(whereSeparator: \.isNewline).first.map { "at \($0)" }
        let parts = [field("M"), field("D"), field("H"), place].compactMap { $0 }
        text = (parts.isEmpty ? String(cString: PQresultErrorMessage(result)) : parts.joined(separator: "; "))
            .trimmingLineEnds()
    }
}
