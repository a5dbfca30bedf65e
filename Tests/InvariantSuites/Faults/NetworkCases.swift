extension FaultCase {
    /// Packets are late, lost, or go elsewhere.
    static let network: [FaultCase] = []
}
