extension FaultCase {
    /// Connections are ended, or never come about.
    static let connections: [FaultCase] = []
}
