import RigModel

/// The progress of one window, as a part of the soak's.
struct WindowProgress: ProgressDisplay {
    let base: any ProgressDisplay
    let window: Int
    /// Of the soak, when the window began.
    let left: Duration

    func say(_ line: String) { base.say("window \(window): \(line)") }

    func show(_ state: RunProgress) {
        var state = state
        state.phase = "window \(window) \(state.phase)"
        base.show(state)
    }

    /// The soak goes on.
    func end() {}
}
