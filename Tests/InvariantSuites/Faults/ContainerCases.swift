extension FaultCase {
    /// Kinds that need a container engine, which a machine that tests may not have: they are tried on a scripted one in
    /// FaultInjectionTests, and here only refused.
    static let ofContainers = ["container-restart", "container-kill", "container-pause", "container-disconnect"]
}
