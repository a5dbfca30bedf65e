/// How a scenario is run.
public struct RigOptions: Sendable {
    /// Draws everything random in the run. `nil`: the environment's `CHAOSRIG_SEED`, or else from the clock; the report tells it.
    public var seed: UInt64?
    /// Where run folders go. `nil`: the environment's `CHAOSRIG_OUT`, or else `.build/chaosrig-runs`, from the current folder.
    public var out: String?
    /// Hosts beyond this machine whose databases may be hit by faults.
    public var allowedRemoteHosts: Set<String> = []
    /// Is told what goes on, a line at a time: a phase began, a fault was injected. Nothing is printed otherwise.
    public var log: (@Sendable (String) -> Void)?
    /// The command that runs this test again, for reports, without the seed.
    public var replayCommand = "swift test"

    public init() {}

    public init(seed: UInt64) { self.seed = seed }
}
