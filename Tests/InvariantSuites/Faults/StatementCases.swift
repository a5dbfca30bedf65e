extension FaultCase {
    /// Statements fail, or wait for others.
    static let statements: [FaultCase] = []
}
