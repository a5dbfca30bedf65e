/// What happens to the connections of a proxy, for its log and for the history of a run.
package enum RelayEvent: Sendable, Equatable {
    /// Why a connection ended.
    package enum Reason: Sendable, Equatable, CustomStringConvertible {
        /// Both sides have said all they had to say; this one was the first.
        case finished(first: ProxyStream)
        case clientReset
        case serverReset
        /// The server could not be reached; the client saw a RST.
        case serverRefused(String)
        /// The server did not answer in time; the client saw a RST.
        case dialTimedOut
        /// A toxic did not let it in.
        case refusedByToxic(String)
        case toxic(CloseManner)
        case cut(CloseManner)
        /// Somebody asked for the end of just this one.
        case ended(CloseManner)
        case proxyStopped

        package var description: String {
            switch self {
            case .finished(let first): first == .upstream ? "client closed" : "server closed"
            case .clientReset: "client reset"
            case .serverReset: "server reset"
            case .serverRefused(let why): "server not reached: \(why)"
            case .dialTimedOut: "server did not accept in time"
            case .refusedByToxic(let name): "refused by toxic \(name)"
            case .toxic(let manner): "ended by a toxic (\(manner.rawValue))"
            case .cut(let manner): "ended by a cut point (\(manner.rawValue))"
            case .ended(let manner): "ended on request (\(manner.rawValue))"
            case .proxyStopped: "proxy stopped"
            }
        }
    }

    case opened(number: Int, client: String)
    case closed(number: Int, reason: Reason, bytesUpstream: Int, bytesDownstream: Int)
    case cutHit(number: Int, cut: String, facts: WireFacts)
    /// There are cut points, but nobody can look inside this connection. Told once per relay.
    case cutsAreBlind(number: Int, phase: WireFacts.Phase)
    /// This process had no descriptor left for a client or its way to the server: the proxy's own trouble. Clients wait, or
    /// are reset.
    case descriptorShortage
    /// The server can be reached again, but the address cannot be listened on. It is tried again.
    case listenFailed(String)
}
