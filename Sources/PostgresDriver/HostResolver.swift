import CLinux
import ConnectionPool
import Dispatch
import EventLoop
import Glibc
import RigModel
import Synchronization
import Threading

/// Turns host names into addresses without blocking the caller.
///
/// getaddrinfo(3) can be neither bounded nor cancelled. So it runs on one helper thread, one lookup at a time; a caller
/// whose deadline passes goes on, and a lookup that nobody awaits any more is skipped. However many connects a dead name
/// server holds up, they cost one thread.
final class HostResolver: Sendable {
    /// A lookup that may block for as long as it likes.
    typealias LookUp = @Sendable (_ host: String) -> Result<[String], LookupFailure>

    private let queue = DispatchQueue(label: "chaosrig.host-resolver")
    private let lookUp: LookUp

    /// - Parameter lookUp: replaced in tests only: a real name server cannot be made to hang on demand.
    init(lookUp: @escaping LookUp = { getAddresses($0, flags: 0) }) { self.lookUp = lookUp }

    /// The addresses of `host`, in the order to try. Numeric addresses and `localhost` are answered at once.
    ///
    /// - Throws: ``DriverError`` with `connectFailed`, `timedOut` or `cancelled`.
    nonisolated(nonsending) func addresses(
        of host: String, loop: EventLoop, slot: WaitSlot, until deadline: MonotonicInstant
    ) async throws(DriverError) -> [String] {
        // RFC 6761, section 6.3: localhost is always the loopback address.
        if host == "localhost" { return ["127.0.0.1", "::1"] }
        if case .success(let numeric) = getAddresses(host, flags: AI_NUMERICHOST) { return numeric }
        guard let lookup = Lookup() else {
            throw DriverError(
                .connectFailed(sqlState: nil), "cannot look up host \(host): eventfd failed, errno \(errno)",
                requestSent: false)
        }
        queue.async { [lookUp] in
            guard !lookup.isAbandoned else { return }
            lookup.finish(lookUp(host))
        }
        do {
            try await loop.wait(slot, lookup.signal, for: .readable, until: deadline)
        } catch {
            lookup.abandon()
            throw DriverError(interruption: error, "looking up the address of host \(host)", requestSent: false)
        }
        switch lookup.result {
        case .success(let addresses)?: return addresses
        case .failure(let failure)?:
            throw DriverError(.connectFailed(sqlState: nil), "\(failure) (host \(host))", requestSent: false)
        case nil: preconditionFailure("internal inconsistency: a lookup was announced without a result")
        }
    }
}

/// One lookup, shared by the task that waits and the thread that works.
private final class Lookup: Sendable {
    /// An eventfd that becomes readable with the result.
    let signal: Int32
    private let answer = Lock<Result<[String], LookupFailure>?>(nil)
    private let abandoned = Atomic<Bool>(false)

    init?() {
        signal = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        if signal < 0 { return nil }
    }

    deinit { if signal >= 0 { close(signal) } }

    var result: Result<[String], LookupFailure>? { answer.withLock { $0 } }
    var isAbandoned: Bool { abandoned.load(ordering: .relaxed) }
    func abandon() { abandoned.store(true, ordering: .relaxed) }

    func finish(_ result: Result<[String], LookupFailure>) {
        answer.withLock { $0 = result }
        var one: UInt64 = 1
        _ = write(signal, &one, 8)
    }
}

struct LookupFailure: Error, CustomStringConvertible {
    let code: Int32
    var description: String { "cannot translate the host name to an address: \(String(cString: gai_strerror(code)))" }
}

/// getaddrinfo(3), then each address as a number. Blocks unless `flags` has AI_NUMERICHOST.
private func getAddresses(_ host: String, flags: Int32) -> Result<[String], LookupFailure> {
    var hints = addrinfo()
    hints.ai_flags = flags
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(host, nil, &hints, &list)
    guard status == 0 else { return .failure(LookupFailure(code: status)) }
    defer { freeaddrinfo(list) }
    var found: [String] = []
    var next = list
    while let entry = next?.pointee {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let size = socklen_t(text.count)
        if getnameinfo(entry.ai_addr, entry.ai_addrlen, &text, size, nil, 0, NI_NUMERICHOST) == 0 {
            found.append(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
        }
        next = entry.ai_next
    }
    return found.isEmpty ? .failure(LookupFailure(code: EAI_NONAME)) : .success(found)
}
