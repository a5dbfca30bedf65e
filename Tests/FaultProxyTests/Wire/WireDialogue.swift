import FaultProxy
import RigModel
import Testing
import Threading

/// What two sides say to each other, in order.
struct WireDialogue: Sendable, CustomTestStringConvertible {
    struct Part: Sendable, Equatable {
        var stream: ProxyStream
        var bytes: [UInt8]
    }

    var name: String
    var parts: [Part]
    var testDescription: String { name }

    init(_ name: String, _ parts: [Part]) {
        self.name = name
        self.parts = parts
    }

    func bytes(_ stream: ProxyStream) -> [UInt8] { parts.filter { $0.stream == stream }.flatMap(\.bytes) }
}

/// Messages as they stand on the wire.
enum Wire {
    static func up(_ messages: [UInt8]...) -> WireDialogue.Part {
        .init(stream: .upstream, bytes: Array(messages.joined()))
    }
    static func down(_ messages: [UInt8]...) -> WireDialogue.Part {
        .init(stream: .downstream, bytes: Array(messages.joined()))
    }

    static func int32(_ value: Int) -> [UInt8] { withUnsafeBytes(of: Int32(value).bigEndian) { Array($0) } }
    static func int16(_ value: Int) -> [UInt8] { withUnsafeBytes(of: Int16(value).bigEndian) { Array($0) } }
    static func text(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }
    static func message(_ type: Unicode.Scalar, _ body: [UInt8] = []) -> [UInt8] {
        [UInt8(ascii: type)] + int32(body.count + 4) + body
    }
    static func packet(_ code: Int, _ body: [UInt8] = []) -> [UInt8] { int32(body.count + 8) + int32(code) + body }

    static func startup(version: Int = 196_608, _ parameters: [String] = ["user", "ann", "application_name", "shop"])
        -> [UInt8]
    {
        packet(version, parameters.flatMap(text) + [0])
    }
    static let sslRequest = packet(80_877_103)
    static let gssRequest = packet(80_877_104)
    static func query(_ sql: String) -> [UInt8] { message("Q", text(sql)) }
    static func parse(_ name: String, _ sql: String) -> [UInt8] { message("P", text(name) + text(sql) + int16(0)) }
    static func bind(_ portal: String, _ name: String) -> [UInt8] {
        message("B", text(portal) + text(name) + int16(0) + int16(0) + int16(0))
    }
    static func describe(portal: String) -> [UInt8] { message("D", Array("P".utf8) + text(portal)) }
    static func execute(_ portal: String) -> [UInt8] { message("E", text(portal) + int32(0)) }
    static let sync = message("S")
    static func extended(_ name: String, _ sql: String) -> [UInt8] {
        parse(name, sql) + bind("", name) + describe(portal: "") + execute("") + sync
    }

    static let authenticationOK = message("R", int32(0))
    static func ready(_ status: Unicode.Scalar) -> [UInt8] { message("Z", [UInt8(ascii: status)]) }
    static func complete(_ tag: String) -> [UInt8] { message("C", text(tag)) }
    static func row(_ value: String) -> [UInt8] { message("D", int16(1) + int32(value.utf8.count) + Array(value.utf8)) }
    static func error(_ code: String, _ severity: String = "ERROR") -> [UInt8] {
        message("E", ["S\(severity)", "V\(severity)", "C\(code)", "Mno"].flatMap(text) + [0])
    }
    static func parameter(_ name: String, _ value: String) -> [UInt8] { message("S", text(name) + text(value)) }
    static func rowDescription() -> [UInt8] {
        message("T", int16(1) + text("a") + int32(0) + int16(0) + int32(25) + int16(-1) + int32(-1) + int16(0))
    }
    static let greeting: [WireDialogue.Part] = [
        up(startup()),
        down(
            authenticationOK, parameter("server_version", "15.20"), message("K", int32(4711) + int32(99)), ready("I")),
    ]

    // The type bytes of whole messages, for comparisons.
    static func types(_ bytes: [UInt8]) -> String {
        var at = 0
        var types = ""
        while at + 5 <= bytes.count {
            types.unicodeScalars.append(Unicode.Scalar(bytes[at]))
            at += 1 + bytes[(at + 1)..<(at + 5)].reduce(0) { $0 << 8 | Int($1) }
        }
        return at == bytes.count ? types : types + "…"
    }

    static let dialogues: [WireDialogue] = [
        WireDialogue(
            "simple queries with SSL and GSS refused",
            [up(gssRequest), down([UInt8(ascii: "N")]), up(sslRequest), down([UInt8(ascii: "N")])] + greeting + [
                up(query("select 1")), down(rowDescription(), row("1"), complete("SELECT 1"), ready("I")),
                up(query("begin")), down(complete("BEGIN"), ready("T")),
                up(query("select 1/0")), down(error("22012"), ready("E")),
                up(query("rollback")), down(complete("ROLLBACK"), ready("I")),
            ]),
        WireDialogue(
            "extended protocol, with statements sent ahead",
            greeting + [
                up(extended("one", "select 1"), extended("", "commit"), parse("two", "select 2")),
                down(
                    message("1"), message("2"), rowDescription(), row("1"), complete("SELECT 1"), ready("I"),
                    message("1")),
                down(message("2"), message("n"), complete("COMMIT"), ready("I"), message("1")),
            ]),
        WireDialogue(
            "copy in from an Execute, with its ignored Sync",
            greeting + [
                up(extended("", "copy t from stdin")),
                down(message("1"), message("2"), message("n"), message("G", [0] + int16(1) + int16(0))),
                up(message("d", Array("1\n".utf8)), message("c"), sync),
                down(complete("COPY 1"), parameter("application_name", "bulk"), ready("I")),
            ]),
        WireDialogue(
            "a cancel request with a long key",
            [
                up(sslRequest), down([UInt8(ascii: "N")]),
                up(packet(80_877_102, int32(4711) + Array(repeating: 7, count: 32))),
            ]),
        WireDialogue(
            "SSL agreed on", [up(sslRequest), down([UInt8(ascii: "S")]), up([22, 3, 1, 0, 5, 1]), down([22, 3, 3])]),
        WireDialogue("SSL without a request", [up([0x16, 3, 1, 2, 0]), down([0x16, 3, 3])]),
        WireDialogue(
            "an early error instead of the answer to SSLRequest", [up(sslRequest), down(error("53300", "FATAL"))]),
        WireDialogue(
            "another protocol", [up(Array("GET / HTTP/1.1\r\n\r\n".utf8)), down(Array("HTTP/1.1 400\r\n".utf8))]),
        WireDialogue(
            "garbage in a session", greeting + [up([7, 7, 7, 7, 7, 7]), down(Array("whatever".utf8))]),
    ]
}

extension WireInspector {
    mutating func observe(_ bytes: some Collection<UInt8>, _ stream: ProxyStream) {
        Array(bytes).withUnsafeBytes { observe($0, stream) }
    }

    mutating func intercept(_ bytes: some Collection<UInt8>, _ stream: ProxyStream) -> [WireEffect] {
        var effects: [WireEffect] = []
        Array(bytes).withUnsafeBytes {
            intercept($0, stream, now: MonotonicInstant(nanoseconds: 0), into: &effects)
        }
        return effects
    }

    mutating func endOfStream(_ stream: ProxyStream) -> [WireEffect] {
        var effects: [WireEffect] = []
        endOfStream(stream, into: &effects)
        return effects
    }

    /// With these rules, called by their number.
    init(_ rules: [CutRule]) {
        self.init()
        setCuts(rules.enumerated().map { ActiveCut(name: "cut\($0.offset)", rule: $0.element, record: CutRecord()) })
    }
}

extension [WireEffect] {
    /// The bytes that went on.
    var passed: [UInt8] { flatMap { if case .pass(let bytes) = $0 { bytes } else { [UInt8]() } } }
    /// Neighbouring passes made one.
    var joined: [WireEffect] {
        reduce(into: []) { joined, effect in
            if case .pass(let more) = effect, case .pass(let bytes)? = joined.last {
                joined[joined.count - 1] = .pass(bytes + more)
            } else {
                joined.append(effect)
            }
        }
    }
    /// The server is told to fail.
    var injects: Bool { String(decoding: passed, as: UTF8.self).contains("raise exception") }
    /// With nothing but what happened.
    var deeds: [WireEffect] { filter { if case .pass = $0 { false } else { true } } }
}
