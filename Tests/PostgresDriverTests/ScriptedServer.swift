import Glibc
import Threading

/// A server that says exactly what a test tells it to, byte for byte: what a broken server, proxy or network can do, and a
/// healthy one cannot be made to do.
///
/// It serves one client after the other on its own thread, each with the same script.
final class ScriptedServer: Sendable {
    /// What it does, in order, once a client has connected.
    enum Step: Sendable {
        /// Takes the startup packet and lets the client in.
        case welcome
        /// Takes the startup packet.
        case takeStartup
        /// Waits for the end of a request (the Sync message).
        case takeRequest
        case send([UInt8])
        /// Sends the bytes one by one, in packets of their own.
        case drip([UInt8])
        /// Waits until the client has closed.
        case untilClosed
    }

    let port: UInt16
    private let listener: Int32
    private let thread: ServiceThread

    /// - Parameter steps: after the last the connection is closed.
    init(_ steps: [Step]) {
        let listener = loopbackListener()
        self.listener = listener
        port = portOf(listener)
        thread = ServiceThread(name: "scripted") {
            while true {
                let client = accept(listener, nil, nil)
                if client < 0 { return }
                // Only for a client that never speaks: one on a starved machine may take minutes.
                var bound = timeval(tv_sec: 900, tv_usec: 0)
                setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &bound, socklen_t(MemoryLayout<timeval>.size))
                var on: Int32 = 1
                setsockopt(client, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
                for step in steps { perform(step, on: client) }
                // A child that another test starts may hold a copy of the descriptor for a while: close alone would then
                // say nothing to the client.
                _ = shutdown(client, Int32(SHUT_RDWR))
                close(client)
            }
        }
    }

    /// Without the limit on unacknowledged data: on a starved machine this server may not read for seconds.
    var url: String {
        "postgresql://tester@127.0.0.1:\(port)/any?sslmode=disable&gssencmode=disable&tcp_user_timeout=0"
    }

    /// Ends the thread. Clients must be closed by then.
    func stop() {
        _ = shutdown(listener, Int32(SHUT_RDWR))  // accept returns an error
        thread.join()
        close(listener)
    }
}

/// A listening socket on a free port of 127.0.0.1.
func loopbackListener(backlog: Int32 = 512) -> Int32 {
    let listener = loopbackSocket()
    precondition(listen(listener, backlog) == 0, "cannot listen on 127.0.0.1: errno \(errno)")
    return listener
}

/// A socket with a free port of 127.0.0.1 on which it does not listen.
func loopbackSocket() -> Int32 {
    let holder = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let bound = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(holder, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    precondition(bound == 0, "cannot bind to 127.0.0.1: errno \(errno)")
    return holder
}

func portOf(_ socket: Int32) -> UInt16 {
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &size) }
    }
    return UInt16(bigEndian: address.sin_port)
}

private func perform(_ step: ScriptedServer.Step, on client: Int32) {
    switch step {
    case .welcome:
        perform(.takeStartup, on: client)
        perform(.send(Wire.authenticationOK + Wire.keyData + Wire.ready("I")), on: client)
    case .takeStartup:
        let header = take(4, from: client)
        guard header.count == 4 else { return }
        _ = take(header.reduce(0) { $0 << 8 | Int($1) } - 4, from: client)
    case .takeRequest:
        while true {
            let header = take(5, from: client)
            guard header.count == 5 else { return }
            _ = take(header[1...].reduce(0) { $0 << 8 | Int($1) } - 4, from: client)
            if header[0] == UInt8(ascii: "S") { return }
        }
    case .send(let bytes): _ = send(client, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    case .drip(let bytes): for byte in bytes { perform(.send([byte]), on: client) }
    case .untilClosed: while !take(1, from: client).isEmpty {}
    }
}

/// Reads exactly `count` bytes; fewer when the client closes or is silent for a minute.
private func take(_ count: Int, from client: Int32) -> [UInt8] {
    var taken: [UInt8] = []
    while taken.count < count {
        var buffer = [UInt8](repeating: 0, count: count - taken.count)
        let got = recv(client, &buffer, buffer.count, 0)
        if got <= 0 { break }
        taken += buffer.prefix(got)
    }
    return taken
}
