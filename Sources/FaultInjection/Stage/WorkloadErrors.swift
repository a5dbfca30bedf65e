/// What the workload's clients met, whoever's pool they use.
package protocol WorkloadErrors: Sendable {
    /// How many attempts of operations have ended with this SQLSTATE so far. An operation tells at its end.
    func errors(_ sqlState: String) -> Int
}
