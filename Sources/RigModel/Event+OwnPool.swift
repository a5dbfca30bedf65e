extension Event {
    /// The limits of our own pool, which tells all that docs/history.md asks for: its books, its gauges, and the begin and the end
    /// of each connection. Other pools do not say how they clean a connection.
    public var isConfigurationOfOwnPool: Bool {
        process == .pool && function == "configured" && value["reset"]?.stringValue != nil
    }
}
