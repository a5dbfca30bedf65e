/// Why a set of proxies did not do what was asked. The words are Toxiproxy's where it has the same error.
package enum ProxySetError: Error, Sendable, Equatable, CustomStringConvertible {
    case proxyNotFound
    case proxyExists
    case toxicNotFound
    case toxicExists
    case cutNotFound
    case cutExists
    /// A field that the request must have, with its place.
    case missingField(String)
    case badRequest(String)
    case invalidStream
    /// With a type that was probably meant.
    case invalidToxicType(nearest: String?)
    /// The proxy could not be started.
    case failed(ProxyError)

    package var description: String {
        switch self {
        case .proxyNotFound: "proxy not found"
        case .proxyExists: "proxy already exists"
        case .toxicNotFound: "toxic not found"
        case .toxicExists: "toxic already exists"
        case .cutNotFound: "cut not found"
        case .cutExists: "cut already exists"
        case .missingField(let field): "missing required field: \(field)"
        case .badRequest(let problem): "bad request body: \(problem)"
        case .invalidStream: "stream was invalid, can be either upstream or downstream"
        case .invalidToxicType: "invalid toxic type"
        case .failed(let error): error.description
        }
    }
}
