/// A request to the control API. A value.
package struct APIRequest: Sendable {
    package var method: String
    /// Without the query, percent escapes decoded.
    package var path: String
    package var userAgent: String
    package var body: [UInt8]
    /// The body was longer than ``ProxyAPI/bodyLimit`` and was not kept.
    package var isBodyTooLarge: Bool

    package init(
        method: String, path: String, userAgent: String = "", body: [UInt8] = [], isBodyTooLarge: Bool = false
    ) {
        self.method = method
        self.path = path
        self.userAgent = userAgent
        self.body = body
        self.isBodyTooLarge = isBodyTooLarge
    }
}

/// Its answer. A value.
package struct APIResponse: Sendable, Equatable {
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
        self.status = status
        self.headers = headers
        self.body = Array(body.utf8)
    }

    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}
