extension FaultCase {
    /// The process that holds the pool is short of something.
    static let client: [FaultCase] = []
}
