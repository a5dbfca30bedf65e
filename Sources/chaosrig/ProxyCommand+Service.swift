import FaultProxy
import Orchestrator
import RigModel
import Threading

/// The proxies of `chaosrig proxy` and their API, running.
final class ProxyService: Sendable {
    private let threads: RelayThreads
    private let proxies: ProxySet
    private let server: APIServer?

    /// Starts everything, or nothing.
    init(_ plan: ProxyPlan, log: @escaping ProxyLog) throws(ProxySetError) {
        let threads: RelayThreads
        do { threads = try RelayThreads() } catch { throw .failed(error) }
        let proxies = ProxySet(makeRelay: Self.maker(plan, threads, log), log: log)
        do throws(ProxySetError) {
            let (_, error) = proxies.populate(plan.proxies)
            if let error { throw error }
            if let name = plan.commandLineProxy {
                for toxic in plan.toxics { try proxies.addToxic(toxic, to: name) }
                for cut in plan.cuts { try proxies.addCut(cut, name: nil, to: name) }
            }

            do throws(ProxyError) {
                server = try plan.api.map { (address) throws(ProxyError) in
                    try APIServer(
                        ProxyAPI(proxies, version: RigVersion.current, seed: plan.seed), address: address, log: log)
                }
            } catch {
                throw .failed(error)
            }
        } catch {
            proxies.stopAll()
            threads.stop()
            throw error
        }
        self.threads = threads
        self.proxies = proxies
        for warning in plan.warnings { log(.warning, warning, []) }
        if let server { Self.announce(server, log) }
        log(.info, "ready", [.init("version", .string(RigVersion.current)), .init("seed", JSONValue(plan.seed))])
    }

    private static func announce(_ server: APIServer, _ log: ProxyLog) {
        log(.info, "serving the control API", [.init("address", .string(server.address))])
        if server.isPublic {
            log(
                .warning, "the control API is open to other machines: whoever reaches it can open ports here",
                [.init("address", .string(server.address))])
        }
    }

    func stop() {
        server?.stop()
        proxies.stopAll()
        threads.stop()
    }

    private static func maker(
        _ plan: ProxyPlan, _ threads: RelayThreads, _ log: @escaping ProxyLog
    ) -> ProxySet.MakeRelay {
        { (proxy, tally) throws(ProxyError) in
            let connections = ProxyConnectionLog(proxy, log)
            var options = Relay.Options()
            options.name = proxy.name
            options.seed = plan.seed
            options.dialsFirst = plan.dialsFirst
            options.feed = { event in
                tally.note(event)
                connections.note(event)
            }
            return Relay(
                listen: try ProxyAddress(proxy.listen), upstream: try ProxyAddress(proxy.upstream), options: options,
                threads: threads)
        }
    }
}
