/// Numbers of the PostgreSQL protocol 3.x, from its documentation, "Message Formats", and from `pqcomm.h`.
enum WireFormat {
    static let sslRequest: UInt32 = 80_877_103
    static let gssRequest: UInt32 = 80_877_104
    static let cancelRequest: UInt32 = 80_877_102
    /// The first byte of a TLS ClientHello record.
    static let tlsHandshake: UInt8 = 0x16
    /// PostgreSQL's own bound (`MAX_STARTUP_PACKET_LENGTH`).
    static let startupLimit: UInt32 = 10_000

    /// The packet is a StartupMessage: its code is the version, and the major one is 3.
    static func isStartup(_ code: UInt32) -> Bool { code >> 16 == 3 }

    @inline(__always)
    static func isKnown(_ type: UInt8, _ stream: ProxyStream) -> Bool {
        stream == .upstream ? isFrontend(type) : isBackend(type)
    }

    @inline(__always)
    private static func isFrontend(_ type: UInt8) -> Bool {
        switch type {
        case UInt8(ascii: "B"), UInt8(ascii: "C"), UInt8(ascii: "D"), UInt8(ascii: "E"), UInt8(ascii: "F"),
            UInt8(ascii: "H"), UInt8(ascii: "P"), UInt8(ascii: "Q"), UInt8(ascii: "S"), UInt8(ascii: "X"),
            UInt8(ascii: "c"), UInt8(ascii: "d"), UInt8(ascii: "f"), UInt8(ascii: "p"):
            true
        default: false
        }
    }

    @inline(__always)
    private static func isBackend(_ type: UInt8) -> Bool {
        switch type {
        case UInt8(ascii: "1"), UInt8(ascii: "2"), UInt8(ascii: "3"), UInt8(ascii: "A"), UInt8(ascii: "C"),
            UInt8(ascii: "D"), UInt8(ascii: "E"), UInt8(ascii: "G"), UInt8(ascii: "H"), UInt8(ascii: "I"),
            UInt8(ascii: "K"), UInt8(ascii: "N"), UInt8(ascii: "R"), UInt8(ascii: "S"), UInt8(ascii: "T"),
            UInt8(ascii: "V"), UInt8(ascii: "W"), UInt8(ascii: "Z"), UInt8(ascii: "c"), UInt8(ascii: "d"),
            UInt8(ascii: "n"), UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "v"):
            true
        default: false
        }
    }

    /// How much of a body ``WireReader`` has to see; `nil` when even the message's end tells it nothing.
    @inline(__always)
    static func wantedBody(_ type: UInt8, _ stream: ProxyStream) -> Int? {
        if stream == .upstream {
            switch type {
            case UInt8(ascii: "X"), UInt8(ascii: "d"), UInt8(ascii: "p"), UInt8(ascii: "H"): return nil
            case UInt8(ascii: "P"): return StatementTexts.textLimit
            case UInt8(ascii: "C"): return 256
            default: return 0
            }
        }
        switch type {
        case UInt8(ascii: "C"): return CommandTag.limit
        // The SQLSTATE is the third field, behind two words.
        case UInt8(ascii: "E"): return 256
        // `application_name` and a value of 63 bytes.
        case UInt8(ascii: "S"): return 128
        case UInt8(ascii: "K"): return 4
        case UInt8(ascii: "Z"): return 1
        case UInt8(ascii: "G"): return 0
        default: return nil
        }
    }
}
