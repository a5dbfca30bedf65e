import Exposition
package import FaultProxy
import HTTPService

/// Serves ``LiveMetrics`` to Prometheus under `/metrics`. Thread-safe.
///
/// One thread waits for all clients. A client that is slow, or says nothing, keeps neither the others nor the run waiting.
package final class MetricsEndpoint: Sendable {
    /// Prometheus needs one or two; the rest is for those that hang until they are thrown out.
    private static let connectionLimit: UInt32 = 64

    /// The bound address, for example `127.0.0.1:9464`.
    package let address: String
    /// Whether others than this machine's programs can reach it.
    package let isPublic: Bool
    package let metrics: LiveMetrics
    private let server: HTTPServer

    /// Starts to serve.
    ///
    /// - Parameter socket: is closed by the endpoint.
    /// - Throws: ``RunError/missing(_:)``.
    package init(_ socket: ServiceSocket) throws(RunError) {
        address = socket.address
        isPublic = socket.isPublic
        metrics = LiveMetrics()
        do throws(HTTPServerError) {
            server = try HTTPServer(
                MetricsPages(metrics), listener: socket.descriptor, connections: Self.connectionLimit)
        } catch {
            throw .missing("cannot serve metrics on \(socket.address): \(error)")
        }
    }

    /// Ends it; clients that wait for an answer have it first. A second call does nothing.
    package func stop() { server.stop() }
}

/// What is under which path.
struct MetricsPages: HTTPResponder {
    let bodyLimit = 0
    let swallowLimit = 64 << 10

    private let metrics: LiveMetrics

    init(_ metrics: LiveMetrics) { self.metrics = metrics }

    /// The judge may be in the middle of many events; the pool's lock is held for moments only.
    func mayTakeTime(_ request: HTTPRequest) -> Bool { false }

    var lateAnswer: HTTPResponse { Self.plain("the run is over", status: 503) }

    func answer(_ request: HTTPRequest) -> HTTPResponse {
        guard ["/metrics", "/"].contains(request.path) else {
            return Self.plain("404: the metrics are under /metrics", status: 404)
        }
        guard request.method == "GET" || request.method == "HEAD" else {
            var refusal = Self.plain("405: metrics can only be read", status: 405)
            refusal.headers.append(.init("Allow", "GET, HEAD"))
            return refusal
        }
        guard request.path == "/metrics" else {
            return Self.plain("chaosrig \(RigVersion.current): the metrics are under /metrics", status: 200)
        }
        let format = MetricsFormat(accept: request.accept)
        return HTTPResponse(
            status: 200, headers: [.init("Content-Type", format.contentType), .init("Vary", "Accept")],
            bytes: metrics.collect().encoded(format))
    }

    private static func plain(_ text: String, status: Int) -> HTTPResponse {
        HTTPResponse(
            status: status,
            headers: [
                .init("Content-Type", "text/plain; charset=utf-8"), .init("X-Content-Type-Options", "nosniff"),
            ], body: text + "\n")
    }
}
