package import HTTPService
import RigModel

/// The control API, compatible with Toxiproxy 2.12: requests in, answers out, over a set of proxies. No socket. Thread-safe.
///
/// What it adds stands under paths and fields that Toxiproxy's clients do not look at.
package struct ProxyAPI: Sendable {
    /// The version of Toxiproxy whose API this is. A client asks for it, and looks for 2.6 or later.
    package static let toxiproxyVersion = "2.12.0"
    /// Longer bodies are not read.
    package static let bodyLimit = 1 << 20

    let proxies: ProxySet
    /// For cut points that draw, and name no seed of their own.
    let seed: UInt64
    private let ownVersion: String
    private let requestIDs = RequestIDs()

    /// - Parameter version: chaosrig's own.
    package init(_ proxies: ProxySet, version: String, seed: UInt64) {
        self.proxies = proxies
        self.seed = seed
        ownVersion = version
    }

    /// More proxies or connections than this are not written down on a thread that serves other clients.
    private static let shortList = 50

    /// The answer may take its time: it must not be waited for on a thread that serves other clients.
    package func mayTakeTime(_ request: HTTPRequest) -> Bool {
        guard request.method == "GET" else { return true }
        return switch APIRoute(path: request.path) {
        case .proxies, .metrics: proxies.count > Self.shortList
        case .connections(let proxy): (try? proxies.statistics(of: proxy)).map { $0.open > Self.shortList } ?? false
        default: false
        }
    }

    package func answer(_ request: HTTPRequest) -> HTTPResponse {
        guard let route = APIRoute(path: request.path) else { return .plain("404 page not found", status: 404) }
        guard route.allows(request.method) else { return HTTPResponse(status: 405) }
        var response = answer(request, route)
        response.headers.append(.init("X-Toxiproxy-Request-Id", requestIDs.next()))
        return response
    }

    private func answer(_ request: HTTPRequest, _ route: APIRoute) -> HTTPResponse {
        // Toxiproxy keeps web pages away from it.
        if request.userAgent.hasPrefix("Mozilla/") { return .plain("User agent not allowed", status: 403) }
        if request.isBodyTooLarge {
            return .failure("request body too large: it may have \(Self.bodyLimit) bytes", status: 413)
        }
        do throws(ProxySetError) {
            return try perform(route, request)
        } catch {
            return .failure(error)
        }
    }

    private func perform(_ route: APIRoute, _ request: HTTPRequest) throws(ProxySetError) -> HTTPResponse {
        let body = request.body
        switch (route, request.method) {
        case (.reset, _):
            try proxies.reset()
            return HTTPResponse(status: 204)
        case (.populate, _): return populate(body)
        case (.version, _): return version
        case (.metrics, _): return metrics
        case (.proxies, "GET"): return index
        case (.proxies, _): return try create(body)
        case (.proxy(let name), "GET"): return .json(try proxies.proxy(name).json)
        case (.proxy(let name), "DELETE"):
            try proxies.delete(name)
            return HTTPResponse(status: 204)
        case (.proxy(let name), _): return try update(name, body)
        case (.toxics(let proxy), "GET"): return .json(.array(try proxies.proxy(proxy).toxics.map(\.json)))
        case (.toxics(let proxy), _): return try addToxic(to: proxy, body)
        case (.toxic(let proxy, let name), "GET"): return .json(try proxies.toxic(name, of: proxy).json)
        case (.toxic(let proxy, let name), "DELETE"):
            try proxies.removeToxic(name, of: proxy)
            return HTTPResponse(status: 204)
        case (.toxic(let proxy, let name), _): return try updateToxic(name, of: proxy, body)
        case (.connections(let proxy), _): return try connections(of: proxy)
        case (.cuts(let proxy), "GET"): return .json(.array(try proxies.proxy(proxy).cuts.map(\.json)))
        case (.cuts(let proxy), _): return try addCut(to: proxy, body)
        case (.cut(let proxy, let name), "GET"):
            guard let cut = try proxies.proxy(proxy).cuts.first(where: { $0.name.isName(name) }) else {
                throw .cutNotFound
            }
            return .json(cut.json)
        case (.cut(let proxy, let name), _):
            try proxies.removeCut(name, of: proxy)
            return HTTPResponse(status: 204)
        }
    }

    /// With a line feed, unlike everything else.
    private var version: HTTPResponse {
        HTTPResponse(
            status: 200, headers: [.init("Content-Type", "application/json;charset=utf-8")],
            body: "{\"version\": \"\(Self.toxiproxyVersion)\", \"chaosrig\": \"\(ownVersion)\"}\n")
    }
}
