import CMicroHTTPD
import Glibc
import Synchronization
import Threading

/// Serves HTTP with libmicrohttpd: one thread that waits for all clients with epoll, and workers for what may take its time,
/// of which some only read. Thread-safe.
package final class HTTPServer: Sendable {
    /// A client that says nothing for so long is gone. Toxiproxy's read timeout.
    private static let idleSeconds: UInt32 = 15

    /// Is told of each answer, on the thread that made it.
    package typealias Witness = @Sendable (HTTPRequest, HTTPResponse, _ took: Duration) -> Void

    private let service: Service
    private let daemon: Lock<Daemon?>

    // Pointers of the library, which says that they may be used from any thread.
    private struct Daemon: @unchecked Sendable { let pointer: OpaquePointer }

    /// Starts to serve.
    ///
    /// - Parameters:
    ///   - listener: a listening socket that does not block; the server closes it, also when it cannot be started.
    ///   - connections: clients beyond it wait until one has gone.
    /// - Throws: ``HTTPServerError``.
    package init(
        _ responder: any HTTPResponder, listener: Int32, connections: UInt32,
        witness: @escaping Witness = { _, _, _ in }
    ) throws(HTTPServerError) {
        service = Service(responder, witness)
        var settings = cmicrohttpd_settings()
        settings.listener = listener
        settings.connection_limit = connections
        settings.idle_seconds = Self.idleSeconds
        settings.connection_memory = 16 << 10
        settings.context = Unmanaged.passUnretained(service).toOpaque()
        settings.handler = { context, connection, url, method, _, bytes, count, slot in
            Service.handle(context, connection, url, method, bytes, count, slot)
        }
        settings.completed = { context, _, slot, _ in Service.completed(context, slot) }
        guard let started = cmicrohttpd_start(&settings) else {
            let error = errno
            close(listener)
            throw HTTPServerError(code: error)
        }
        daemon = Lock(Daemon(pointer: started))
    }

    deinit { stop() }

    /// Takes no more clients, lets every request that has been taken have its answer, and closes. A second call does
    /// nothing.
    package func stop() {
        guard let daemon = daemon.withLock({ $0.take() })?.pointer else { return }
        let listener = MHD_quiesce_daemon(daemon)
        if listener >= 0 { close(listener) }
        service.workers.close()
        service.readers.close()
        // The daemon's thread writes the last answers; a client that does not read them is not waited for long.
        let deadline = MonotonicInstant.now.advanced(by: .seconds(1))
        while service.answering.load(ordering: .acquiring) > 0, MonotonicInstant.now < deadline { usleep(2000) }
        MHD_stop_daemon(daemon)
    }
}

/// The library could not start its thread.
package struct HTTPServerError: Error, CustomStringConvertible {
    /// `errno`.
    package let code: Int32

    package var description: String { String(cString: strerror(code)) }
}

/// What the daemon's callbacks work with. It outlives the daemon.
private final class Service: Sendable {
    private static let workerLimit = 64
    private static let readerLimit = 2

    private let responder: any HTTPResponder
    private let witness: HTTPServer.Witness
    /// For changes, which may wait for a name server or for each other.
    let workers = HTTPWorkers(limit: Service.workerLimit)
    /// For long lists, which wait for nobody, and must not wait for a change.
    let readers = HTTPWorkers(limit: Service.readerLimit)
    /// Requests that wait for their answer, or whose answer is being written.
    let answering = Atomic<Int>(0)

    init(_ responder: any HTTPResponder, _ witness: @escaping HTTPServer.Witness) {
        self.responder = responder
        self.witness = witness
    }

    /// Called by the daemon's thread: once when the head of a request has come, once for each part of its body, once when it
    /// is complete, and once more when its connection was suspended and goes on.
    static func handle(
        _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?, _ url: UnsafePointer<CChar>?,
        _ method: UnsafePointer<CChar>?, _ bytes: UnsafePointer<CChar>?, _ count: UnsafeMutablePointer<Int>?,
        _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> MHD_Result {
        guard let context, let connection, let url, let method, let count, let slot else { return .NO }
        let service = Unmanaged<Service>.fromOpaque(context).takeUnretainedValue()
        guard let raw = slot.pointee else {
            slot.pointee = Unmanaged.passRetained(HTTPExchange(service.responder)).toOpaque()
            return .YES
        }
        let exchange = Unmanaged<HTTPExchange>.fromOpaque(raw).takeUnretainedValue()
        if count.pointee > 0 {
            defer { count.pointee = 0 }
            return exchange.take(UnsafeRawBufferPointer(start: bytes, count: count.pointee)) ? .YES : .NO
        }
        if let answer = exchange.answer.withLock({ $0 }) { return HTTPExchange.queue(answer, on: connection) }
        guard !exchange.isDispatched else { return .YES }
        func header(_ name: String) -> String {
            MHD_lookup_connection_value(connection, .HEADER_KIND, name).map { String(cString: $0) } ?? ""
        }
        let request = HTTPRequest(
            method: String(cString: method), path: HTTPRequest.path(of: String(cString: url)),
            userAgent: header("User-Agent"),
            accept: header("Accept"), body: exchange.body, isBodyTooLarge: exchange.isTooLarge)
        return service.dispatch(request, exchange, connection)
    }

    private func dispatch(_ request: HTTPRequest, _ exchange: HTTPExchange, _ connection: OpaquePointer) -> MHD_Result {
        guard responder.mayTakeTime(request) else {
            exchange.isDispatched = true
            note(exchange)
            return HTTPExchange.queue(answer(request), on: connection)
        }
        // The library notes what it waits for on a connection only after a call that did not suspend it. Suspended in this
        // one it would read when it goes on, and close the connection of a client that has sent all it had to say and has
        // shut down its side (libmicrohttpd 0.9.75). It calls again at once.
        guard exchange.isComplete else {
            exchange.isComplete = true
            // It has been taken: a stop in between must not lose its answer.
            note(exchange)
            return .YES
        }
        exchange.isDispatched = true
        let suspended = Suspended(connection: connection)
        MHD_suspend_connection(connection)
        let isTaken = (request.method == "GET" ? readers : workers).submit { [self] in
            let response = answer(request)
            exchange.answer.withLock { $0 = response }
            MHD_resume_connection(suspended.connection)
        }
        if !isTaken {
            exchange.answer.withLock { $0 = responder.lateAnswer }
            MHD_resume_connection(connection)
        }
        return .YES
    }

    /// It has an answer to wait for from now on; ``completed(_:_:)`` is told when that is over.
    private func note(_ exchange: HTTPExchange) {
        // A list may have grown short between the two calls.
        guard !exchange.isCounted else { return }
        exchange.isCounted = true
        answering.add(1, ordering: .acquiringAndReleasing)
    }

    private struct Suspended: @unchecked Sendable {
        // @unchecked: a suspended connection stays until it is resumed, by whatever thread.
        let connection: OpaquePointer
    }

    private func answer(_ request: HTTPRequest) -> HTTPResponse {
        let began = MonotonicInstant.now
        let response = responder.answer(request)
        witness(request, response, began.duration(to: .now))
        return response
    }

    static func completed(
        _ context: UnsafeMutableRawPointer?, _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) {
        guard let context, let raw = slot?.pointee else { return }
        let exchange = Unmanaged<HTTPExchange>.fromOpaque(raw).takeRetainedValue()
        slot?.pointee = nil
        guard exchange.isCounted else { return }
        Unmanaged<Service>.fromOpaque(context).takeUnretainedValue().answering.subtract(
            1, ordering: .acquiringAndReleasing)
    }
}
