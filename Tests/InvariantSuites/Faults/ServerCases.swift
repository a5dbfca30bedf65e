extension FaultCase {
    /// The server stops, stalls, refuses.
    static let server: [FaultCase] = []
}
