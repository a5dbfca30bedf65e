import Dispatch
import Synchronization
import Threading

/// Where a relay leads to, also when that is a name: looked up at the start, and again in the background after a dial that
/// failed, since the name may have got an address, or another one. Thread-safe.
final class Upstream: Sendable {
    private static let pause = Duration.milliseconds(500)

    private enum Known {
        case address(SocketAddress)
        /// Why the name has none.
        case failure(String)
    }

    private let target: Lock<ProxyAddress>
    private let known: Lock<Known>
    private let isLooking = Atomic<Bool>(false)
    private let lookAgainAt = Lock(MonotonicInstant(nanoseconds: 0))

    /// Asks the resolver where it is a name, which may take seconds.
    init(_ address: ProxyAddress) {
        target = Lock(address)
        known = Lock(Self.look(up: address))
    }

    var address: ProxyAddress { target.withLock { $0 } }

    /// From the next dial on it leads there. Asks the resolver where that is a name, which may take seconds.
    func move(to address: ProxyAddress) {
        let found = Self.look(up: address)
        target.withLock { target in
            target = address
            known.withLock { $0 = found }
        }
    }

    private static func look(up address: ProxyAddress) -> Known {
        do throws(ProxyError) { return .address(try address.resolve(isForListening: false)) } catch {
            return .failure("\(error)")
        }
    }

    /// The address that is known now, or why there is none.
    var current: Result<SocketAddress, UpstreamError> {
        switch known.withLock({ $0 }) {
        case .address(let address): .success(address)
        case .failure(let reason): .failure(UpstreamError(reason: reason))
        }
    }

    /// A dial has failed. Returns at once; at most one look-up is under way, and not many a second.
    func noteFailure() {
        guard isName, lookAgainAt.withLock({ $0 }) <= .now, !isLooking.exchange(true, ordering: .acquiringAndReleasing)
        else { return }
        DispatchQueue.global().async { [self] in
            let asked = address
            let found = Self.look(up: asked)
            target.withLock { target in
                guard target == asked else { return }  // it was moved meanwhile
                // A resolver that fails now does not make an address wrong that it gave before.
                known.withLock { known in
                    if case .failure = found, case .address = known { return }
                    known = found
                }
            }
            lookAgainAt.withLock { $0 = .now.advanced(by: Self.pause) }
            isLooking.store(false, ordering: .releasing)
        }
    }

    private var isName: Bool {
        guard case .tcp(let host, let port) = address else { return false }
        return !host.isEmpty && SocketAddress(ipv4: host, port: port) == nil
            && SocketAddress(ipv6: host, port: port) == nil
    }
}

struct UpstreamError: Error {
    let reason: String
}
