extension ProxySet {
    /// Asks the machine's resolver where the text names a host.
    @Sendable
    package static func resolveListenAddress(_ listen: String) throws(ProxyError) -> String {
        try ProxyAddress(listen).resolve(isForListening: true).text
    }
}
