package import HTTPService
import RigModel
import Threading

/// Serves the control API over HTTP. Thread-safe.
package final class APIServer: Sendable {
    /// Clients beyond it wait until one has gone. At most half of what the process may open, and a quarter of much.
    private static let connectionLimit = 64...2048

    /// The bound address, for example `127.0.0.1:8474`.
    package let address: String
    /// Whether others than this machine's programs can reach it.
    package let isPublic: Bool
    private let server: HTTPServer

    /// Starts to serve.
    ///
    /// - Parameter address: `HOST:PORT`; port 0 for a free one.
    /// - Throws: ``ProxyError`` with the reason, such as a port in use.
    package init(_ api: ProxyAPI, address text: String, log: @escaping ProxyLog) throws(ProxyError) {
        let socket = try ServiceSocket("the API", at: text)
        address = socket.address
        isPublic = socket.isPublic
        do throws(HTTPServerError) {
            server = try HTTPServer(
                api, listener: socket.descriptor, connections: Self.connections(DescriptorReserve.limit)
            ) { request, response, took in
                log(
                    .debug, "request",
                    [
                        .init("method", .string(request.method)), .init("path", .string(request.path)),
                        .init("user_agent", .string(request.userAgent)), .init("status", JSONValue(response.status)),
                        .init("ms", .double(took.milliseconds)),
                    ])
            }
        } catch {
            throw .noResource("cannot serve the control API on \(address): \(error)")
        }
    }

    /// How many clients at once, where the process may open so many descriptors.
    static func connections(_ descriptors: Int) -> UInt32 {
        let share = min(max(descriptors / 4, connectionLimit.lowerBound), connectionLimit.upperBound)
        return UInt32(max(1, min(share, descriptors / 2)))
    }

    /// Takes no more clients, lets every request that has been taken have its answer, and closes. A second call does
    /// nothing.
    package func stop() { server.stop() }
}

extension ProxyAPI: HTTPResponder {
    package var bodyLimit: Int { Self.bodyLimit }
    package var swallowLimit: Int { 64 << 20 }
    package var lateAnswer: HTTPResponse { .failure("the proxy is stopping", status: 503) }
}
