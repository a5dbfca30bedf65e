extension FaultCase {
    /// A PgBouncer between pool and server.
    static let pooler: [FaultCase] = []
}
