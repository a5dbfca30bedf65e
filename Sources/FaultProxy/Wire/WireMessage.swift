import RigModel

/// A message of the PostgreSQL protocol by its name in PostgreSQL's documentation. A value.
package struct WireMessage: Sendable, Equatable {
    enum Form: Sendable, Equatable {
        /// A type byte, and the first four bytes of the body where several messages share the type.
        case typed(UInt8, subtype: UInt32? = nil)
        /// A startup packet with this code; `nil` for StartupMessage.
        case untyped(code: UInt32?)
    }

    package let name: String
    /// The stream in which it comes; `nil` when it comes in both.
    package let stream: ProxyStream?
    let form: Form
    /// It belongs to a statement, whose text is known.
    package let hasStatement: Bool

    private init(_ name: String, _ stream: ProxyStream?, _ form: Form, statement: Bool = false) {
        self.name = name
        self.stream = stream
        self.form = form
        hasStatement = statement
    }

    private static func up(_ name: String, _ type: Unicode.Scalar, statement: Bool = false) -> WireMessage {
        WireMessage(name, .upstream, .typed(UInt8(ascii: type)), statement: statement)
    }

    private static func down(_ name: String, _ type: Unicode.Scalar, statement: Bool = true) -> WireMessage {
        WireMessage(name, .downstream, .typed(UInt8(ascii: type)), statement: statement)
    }

    private static func authentication(_ name: String, _ subtype: UInt32?) -> WireMessage {
        WireMessage("Authentication\(name)", .downstream, .typed(UInt8(ascii: "R"), subtype: subtype))
    }

    /// Every name that a rule can use.
    package static let catalogue: [WireMessage] = [
        WireMessage("StartupMessage", .upstream, .untyped(code: nil)),
        WireMessage("SSLRequest", .upstream, .untyped(code: WireFormat.sslRequest)),
        WireMessage("GSSENCRequest", .upstream, .untyped(code: WireFormat.gssRequest)),
        WireMessage("CancelRequest", .upstream, .untyped(code: WireFormat.cancelRequest)),
        // Also SASLInitialResponse, SASLResponse and GSSResponse: they share its type byte.
        up("PasswordMessage", "p"),
        up("Query", "Q", statement: true), up("Parse", "P", statement: true), up("Bind", "B", statement: true),
        up("Describe", "D", statement: true), up("Execute", "E", statement: true), up("Close", "C", statement: true),
        up("Sync", "S"), up("Flush", "H"), up("FunctionCall", "F"), up("CopyFail", "f"), up("Terminate", "X"),
        WireMessage("CopyData", nil, .typed(UInt8(ascii: "d"))),
        WireMessage("CopyDone", nil, .typed(UInt8(ascii: "c"))),
        authentication("", nil), authentication("Ok", 0), authentication("CleartextPassword", 3),
        authentication("MD5Password", 5), authentication("GSS", 7), authentication("GSSContinue", 8),
        authentication("SASL", 10), authentication("SASLContinue", 11), authentication("SASLFinal", 12),
        down("NegotiateProtocolVersion", "v", statement: false), down("BackendKeyData", "K", statement: false),
        down("ParameterStatus", "S", statement: false), down("NoticeResponse", "N", statement: false),
        down("NotificationResponse", "A", statement: false), down("ReadyForQuery", "Z"), down("CommandComplete", "C"),
        down("EmptyQueryResponse", "I"), down("ErrorResponse", "E"), down("RowDescription", "T"), down("DataRow", "D"),
        down("ParseComplete", "1"), down("BindComplete", "2"), down("CloseComplete", "3", statement: false),
        down("ParameterDescription", "t"), down("NoData", "n"), down("PortalSuspended", "s"),
        down("CopyInResponse", "G"), down("CopyOutResponse", "H"), down("CopyBothResponse", "W"),
        down("FunctionCallResponse", "V", statement: false),
    ]

    /// The message of a name, in any case.
    package init(named name: String) throws(CutRuleError) {
        let lowered = name.lowercased()
        guard let found = Self.catalogue.first(where: { $0.name.lowercased() == lowered }) else {
            let nearest = NearestName.of(name, in: Self.catalogue.map(\.name))
            throw CutRuleError(
                "message",
                "\"\(name)\" is no message of PostgreSQL's protocol"
                    + (nearest.map { "; did you mean \($0)?" } ?? ", as its documentation names them"))
        }
        self = found
    }

    var isStartup: Bool { if case .untyped = form { true } else { false } }

    /// The client is not a session yet when it comes: an error there ends the connection.
    var isBeforeSession: Bool {
        switch form {
        case .untyped, .typed(UInt8(ascii: "p"), _), .typed(UInt8(ascii: "R"), _): true
        default: false
        }
    }

    /// A message with this type, or startup packet with this code, and this body is one.
    func matches(type: UInt8?, body: UnsafeRawBufferPointer) -> Bool {
        switch form {
        case .typed(let wanted, let subtype):
            guard type == wanted else { return false }
            guard let subtype else { return true }
            return body.count >= 4 && body.bigEndian32(at: 0) == subtype
        case .untyped(let code):
            guard type == nil, body.count >= 4 else { return false }
            let found = body.bigEndian32(at: 0)
            return code.map { $0 == found } ?? WireFormat.isStartup(found)
        }
    }
}
