/// A request over HTTP. A value.
package struct HTTPRequest: Sendable {
    package var method: String
    /// Without the query, percent escapes decoded.
    package var path: String
    package var userAgent: String
    /// Which forms of an answer the client would have; empty when it does not say.
    package var accept: String
    package var body: [UInt8]
    /// The body was longer than ``HTTPResponder/bodyLimit`` and was not kept.
    package var isBodyTooLarge: Bool

    package init(
        method: String, path: String, userAgent: String = "", accept: String = "", body: [UInt8] = [],
        isBodyTooLarge: Bool = false
    ) {
        self.method = method
        self.path = path
        self.userAgent = userAgent
        self.accept = accept
        self.body = body
        self.isBodyTooLarge = isBodyTooLarge
    }
}

extension HTTPRequest {
    /// The path of a request's target, which may be a whole address: `http://host/path` (RFC 9112, 3.2.2).
    static func path(of target: String) -> String {
        guard let scheme = ["http://", "https://"].first(where: { target.lowercased().hasPrefix($0) }) else {
            return target
        }
        let rest = target.dropFirst(scheme.count)
        return rest.firstIndex(of: "/").map { String(rest[$0...]) } ?? "/"
    }
}

/// Its answer. A value.
package struct HTTPResponse: Sendable, Equatable {
    package var status: Int
    /// Names and values, in order.
    package var headers: [Header]
    package var body: [UInt8]

    package struct Header: Sendable, Equatable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package init(status: Int, headers: [Header] = [], body: String = "") {
        self.init(status: status, headers: headers, bytes: Array(body.utf8))
    }

    package init(status: Int, headers: [Header], bytes: [UInt8]) {
        self.status = status
        self.headers = headers
        body = bytes
    }

    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

/// What answers requests. No socket; thread-safe.
package protocol HTTPResponder: Sendable {
    /// Longer bodies are not kept; see ``HTTPRequest/isBodyTooLarge``. In bytes.
    var bodyLimit: Int { get }
    /// What more than that is read and thrown away, so that the client comes to read the answer. Beyond it the connection is
    /// closed. In bytes.
    var swallowLimit: Int { get }
    /// The answer must not be waited for on the thread that serves all clients.
    func mayTakeTime(_ request: HTTPRequest) -> Bool
    func answer(_ request: HTTPRequest) -> HTTPResponse
    /// To whom comes when the server is about to end.
    var lateAnswer: HTTPResponse { get }
}
