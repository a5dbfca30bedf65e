extension FaultCase {
    /// An embedded database.
    static let sqlite: [FaultCase] = []
}
