package import RigModel
import Threading

/// What the command line adds to a scenario.
package struct RunOptions: Sendable {
    /// Draws everything that is random in the run.
    package var seed: UInt64
    /// What takes the place of `runs/`.
    package var out: String
    /// Hosts beyond loopback that the user allowed by name.
    package var allowedRemoteHosts: Set<String>
    /// The command that runs the same again.
    package var replay: String
    /// The same, of the folder that the run leaves, where that says all; takes the place of `replay`.
    package var replayOfFolder: (@Sendable (_ path: String) -> String)?
    package var interrupt: Interrupt
    package var progress: any ProgressDisplay
    /// What is put between the parts of the pool under test; not where it is in another process.
    package var decoration = PoolDecoration()
    /// Where the numbers of the run are shown while it goes; `nil`: nowhere.
    package var metrics: LiveMetrics?

    /// - Parameter replayCommand: that runs the same again, without its `--seed`.
    package init(
        seed: UInt64, out: String, allowedRemoteHosts: Set<String>, replayCommand: String, interrupt: Interrupt,
        progress: any ProgressDisplay
    ) {
        self.seed = seed
        self.out = out
        self.allowedRemoteHosts = allowedRemoteHosts
        replay = "\(replayCommand) --seed \(seed)"
        self.interrupt = interrupt
        self.progress = progress
    }
}

/// Is told how the run goes. Called from the run's own task, a few times a second; must be quick.
package protocol ProgressDisplay: Sendable {
    /// One line for the log: a phase began, a fault was injected or healed.
    func say(_ line: String)
    func show(_ state: RunProgress)
    /// Nothing more is coming.
    func end()
}

/// The run at one moment.
package struct RunProgress: Sendable, Equatable {
    package var phase = ""
    /// `nil`: nobody knows.
    package var left: Duration?
    package var okPerSecond = 0.0
    package var p99: Duration?
    package var open = 0
    package var idle = 0
    package var inUse = 0
    package var waiting = 0
    /// The pool tells its gauges; else the four above mean nothing.
    package var hasGauges = true
    package var activeFaults: [String] = []
    /// What single events showed to be wrong so far; the invariants are judged at the end.
    package var findings = 0

    package init() {}
}

/// What a run leaves.
package struct RunOutcome: Sendable {
    package var report: RunReport
    /// Absolute path of the run folder.
    package var folder: String
    package var exitCode: Int32 { Int32(report.exitCode) }
}
