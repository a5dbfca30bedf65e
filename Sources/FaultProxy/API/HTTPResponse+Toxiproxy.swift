import HTTPService
import RigModel

/// Answers with the bytes and headers that Toxiproxy's have.
extension HTTPResponse {
    /// A success: no line feed at the end.
    static func json(_ value: JSONValue, status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, headers: [Header("Content-Type", "application/json")], body: value.compactText)
    }

    /// An error of the API. Toxiproxy sets the JSON type, and the helper that it then uses replaces it.
    static func failure(_ message: String, status: Int, hint: String? = nil) -> HTTPResponse {
        plain(body(message, status, hint).compactText, status: status)
    }

    static func failure(_ error: ProxySetError) -> HTTPResponse {
        failure(error.description, status: error.status, hint: error.hint)
    }

    /// Of /populate: the proxies that were taken, and what went wrong with the next one. `null` when there are none.
    static func populated(_ proxies: [JSONValue], _ error: ProxySetError?) -> HTTPResponse {
        var members: [JSONValue.Member] = []
        if let error, case .object(let fields) = body(error.description, error.status, error.hint) { members = fields }
        members.append(.init("proxies", proxies.isEmpty ? .null : .array(proxies)))
        return json(.object(members), status: error?.status ?? 201)
    }

    static func plain(_ text: String, status: Int) -> HTTPResponse {
        HTTPResponse(
            status: status,
            headers: [
                Header("Content-Type", "text/plain; charset=utf-8"), Header("X-Content-Type-Options", "nosniff"),
            ],
            body: text + "\n")
    }

    private static func body(_ message: String, _ status: Int, _ hint: String?) -> JSONValue {
        var members: [JSONValue.Member] = [.init("error", .string(message)), .init("status", JSONValue(status))]
        if let hint { members.append(.init("hint", .string(hint))) }
        return .object(members)
    }
}

extension ProxySetError {
    /// The HTTP status.
    var status: Int {
        switch self {
        case .proxyNotFound, .toxicNotFound, .cutNotFound: 404
        case .proxyExists, .toxicExists, .cutExists: 409
        case .missingField, .badRequest, .invalidStream, .invalidToxicType: 400
        case .failed: 500
        }
    }

    /// What helps, where the message must have Toxiproxy's words. In a field that clients ignore.
    fileprivate var hint: String? {
        guard case .invalidToxicType(let nearest) = self else { return nil }
        return nearest.map { "did you mean \"\($0)\"?" } ?? "chaosrig list toxics shows the types"
    }
}
