extension FaultCase {
    /// What servers enforce on sessions.
    static let serverLife: [FaultCase] = [
        FaultCase(
            kind: "max-lifetime", lands: "{max-lifetime: {max-age: 1s}, at: 0s, for: 2s}",
            cannotLand: "{max-lifetime: {max-age: 1h}, at: 0s, for: 1s}")
    ]
}
