import CMicroHTTPD
import Threading

/// One request over HTTP and its answer. The body belongs to the daemon's thread; the answer may come from another one.
final class HTTPExchange: @unchecked Sendable {
    // @unchecked: `body` and the flags are touched by the daemon's thread, and read by the worker only after they were
    // handed over under the workers' lock, when the daemon's thread leaves them alone.

    /// A body that takes longer is given up, however little comes at a time.
    private static let bodyTime = Duration.seconds(30)

    private let bodyLimit: Int
    private let swallowLimit: Int
    private(set) var body: [UInt8] = []
    private var received = 0
    private let deadline = MonotonicInstant.now.advanced(by: bodyTime)
    /// The daemon's thread has seen the end of the request.
    var isComplete = false
    /// Somebody works on the answer.
    var isDispatched = false
    /// It is one of those that a stop waits for.
    var isCounted = false
    let answer = Lock<HTTPResponse?>(nil)

    init(_ responder: any HTTPResponder) {
        bodyLimit = responder.bodyLimit
        swallowLimit = responder.swallowLimit
    }

    var isTooLarge: Bool { received > bodyLimit }

    /// Takes a part of the body.
    ///
    /// - Returns: false when it is high time to close the connection.
    func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
        received += bytes.count
        if isTooLarge { body = [] } else { body.append(contentsOf: bytes) }
        return received <= swallowLimit && MonotonicInstant.now < deadline
    }

    /// Gives the answer to the daemon.
    static func queue(_ answer: HTTPResponse, on connection: OpaquePointer?) -> MHD_Result {
        var body = answer.body
        let made = body.withUnsafeMutableBytes {
            MHD_create_response_from_buffer($0.count, $0.baseAddress, .RESPMEM_MUST_COPY)
        }
        guard let made else { return .NO }
        defer { MHD_destroy_response(made) }
        for header in answer.headers { MHD_add_response_header(made, header.name, header.value) }
        return MHD_queue_response(connection, UInt32(answer.status), made)
    }
}
