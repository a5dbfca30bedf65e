/// A path of the control API.
enum APIRoute: Equatable {
    case reset
    case proxies
    case populate
    case version
    case metrics
    case proxy(String)
    case toxics(proxy: String)
    case toxic(proxy: String, name: String)
    // Ours.
    case connections(proxy: String)
    case cuts(proxy: String)
    case cut(proxy: String, name: String)

    /// `nil` for a path that is not known. A name that holds a slash has no path, escaped or not, as in Toxiproxy.
    init?(path: String) {
        // By bytes: to Swift's characters a slash with an accent is no slash.
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst()
            .map { String(Substring($0)) }
        guard path.utf8.first == UInt8(ascii: "/"), !parts.contains("") else { return nil }
        switch (parts.first, parts.count) {
        case ("reset", 1): self = .reset
        case ("proxies", 1): self = .proxies
        case ("populate", 1): self = .populate
        case ("version", 1): self = .version
        case ("metrics", 1): self = .metrics
        case ("proxies", 2): self = .proxy(parts[1])
        case ("proxies", 3) where parts[2] == "toxics": self = .toxics(proxy: parts[1])
        case ("proxies", 4) where parts[2] == "toxics": self = .toxic(proxy: parts[1], name: parts[3])
        case ("proxies", 3) where parts[2] == "connections": self = .connections(proxy: parts[1])
        case ("proxies", 3) where parts[2] == "cuts": self = .cuts(proxy: parts[1])
        case ("proxies", 4) where parts[2] == "cuts": self = .cut(proxy: parts[1], name: parts[3])
        default: return nil
        }
    }

    func allows(_ method: String) -> Bool {
        switch self {
        case .reset, .populate: method == "POST"
        case .proxies, .toxics, .cuts: method == "GET" || method == "POST"
        case .version, .connections: method == "GET"
        // Toxiproxy's route for it names no method.
        case .metrics: true
        case .proxy, .toxic: ["GET", "POST", "PATCH", "DELETE"].contains(method)
        case .cut: method == "GET" || method == "DELETE"
        }
    }
}
