import FaultProxy
import RigTestSupport
import Testing
import Threading

/// A client that speaks to a real server through an inspector. Used by one thread.
final class WireClient {
    private let socket: TestSocket
    var inspector: WireInspector
    /// What went in, before the cut points.
    private(set) var parts: [WireDialogue.Part] = []
    /// What the client has not looked at yet.
    private var received: [UInt8] = []
    private(set) var end: CloseManner?
    private(set) var hits: [String] = []

    init(port: UInt16, _ rules: [String] = [], parameters: [String] = []) throws {
        socket = try TestSocket.connect(toPort: port)
        inspector = WireInspector(try rules.map { try CutRule(words: $0) })
        let own = ["user", "chaosrig", "database", "postgres", "application_name", "wire-test"]
        send(Wire.startup(own + parameters))
    }

    func send(_ bytes: [UInt8]) {
        parts.append(.init(stream: .upstream, bytes: bytes))
        carryOut(inspector.intercept(bytes, .upstream), .upstream)
    }

    private func carryOut(_ effects: [WireEffect], _ stream: ProxyStream) {
        for effect in effects {
            switch effect {
            case .pass(let bytes): if stream == .upstream { socket.write(bytes) } else { received += bytes }
            case .answer(let bytes): received += bytes
            case .close(let manner): end = manner
            case .hit(let cut): hits.append(cut)
            case .delay, .blackhole: break
            }
        }
    }

    /// The messages that come up to the so-manieth one of a type, ReadyForQuery if nothing is said.
    func answer(_ count: Int = 1, to type: Character = "Z") throws -> WireAnswer {
        while true {
            let answer = WireAnswer(all: received)
            if answer.types.filter({ $0 == type }).count >= count {
                received = []
                return answer
            }
            guard end == nil else { return WireAnswer(all: received) }
            guard case .bytes(let bytes) = socket.read(upTo: 4096) else { throw SocketTestError("the server is gone") }
            parts.append(.init(stream: .downstream, bytes: bytes))
            carryOut(inspector.intercept(bytes, .downstream), .downstream)
        }
    }

    func ask(_ bytes: [UInt8], readies: Int = 1) throws -> WireAnswer {
        send(bytes)
        return try answer(readies)
    }

    func query(_ sql: String) throws -> WireAnswer { try ask(Wire.query(sql)) }
}

/// Messages of a server.
struct WireAnswer: Equatable {
    /// Type bytes, for example `TDCZ`; without notices and parameters.
    var types = ""
    /// SQLSTATE and text.
    var errors: [String] = []
    /// ReadyForQuery's last word.
    var status: Character = "?"
    var values: [String] = []

    /// An error with PostgreSQL's own words for 40001, and ReadyForQuery.
    init(failing code: String, status: Character) {
        types = "EZ"
        errors = ["\(code) could not serialize access due to concurrent update"]
        self.status = status
    }

    init(all bytes: [UInt8]) {
        var at = 0
        while at + 5 <= bytes.count {
            let end = at + 1 + bytes[(at + 1)..<(at + 5)].reduce(0) { $0 << 8 | Int($1) }
            guard end <= bytes.count else { return }
            note(Character(Unicode.Scalar(bytes[at])), Array(bytes[(at + 5)..<end]))
            at = end
        }
    }

    private mutating func note(_ type: Character, _ body: [UInt8]) {
        if type == "N" || type == "S" { return }
        types.append(type)
        switch type {
        case "Z": status = Character(Unicode.Scalar(body[0]))
        case "E":
            let fields = body.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            let code = fields.first { $0.hasPrefix("C") } ?? ""
            let text = fields.first { $0.hasPrefix("M") } ?? ""
            errors.append("\(code.dropFirst()) \(text.dropFirst())")
        case "D": if body.count > 6 { values.append(String(decoding: body[6...], as: UTF8.self)) }
        default: break
        }
    }
}
