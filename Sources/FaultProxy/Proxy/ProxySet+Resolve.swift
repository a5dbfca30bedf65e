/// What addresses mean, looked at before anything is touched.
extension ProxySet {
    /// Asks the machine's resolver where the text names a host.
    @Sendable
    package static func resolveListenAddress(_ listen: String) throws(ProxyError) -> String {
        try ProxyAddress(listen).resolve(isForListening: true).text
    }

    /// Whether a listen address is another one than the one that is shown. Port 0 is always another one: it means a new one.
    /// A missing host is every address, of whatever families it listens on.
    ///
    /// - Throws: for what is no address, or a name that has none.
    func differs(_ listen: String, from shown: String) throws(ProxySetError) -> Bool {
        if listen == shown { return false }
        let wanted = listen.isEmpty ? ":0" : listen
        do throws(ProxyError) {
            let resolved = try resolve(wanted)
            guard case .tcp(_, let port) = try ProxyAddress(resolved) else { return resolved != shown }
            if port == 0 { return true }
            if case .tcp("", _) = try ProxyAddress(wanted), ["[::]:\(port)", "0.0.0.0:\(port)"].contains(shown) {
                return false
            }
            return resolved != shown
        } catch {
            throw .failed(error)
        }
    }

    /// A server may be dead or unknown to the resolver when its proxy is made, but what is no address never becomes one.
    static func checkUpstream(_ upstream: String, _ place: String = "") throws(ProxySetError) {
        do throws(ProxyError) { _ = try ProxyAddress(upstream) } catch {
            throw .badRequest("upstream\(place): \(error)")
        }
    }
}
