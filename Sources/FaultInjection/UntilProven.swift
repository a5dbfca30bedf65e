/// Looks again and again for the effect of a fault that lasts: until it is there, the fault is healed, or the task is
/// cancelled. An effect may be as late as the fault is long.
///
/// - Parameters:
///   - isHealed: asked after each look.
///   - look: a landing with the evidence so far, or with the reason why there is none yet.
/// - Returns: the last one.
func untilProven(
    every pause: Duration = .milliseconds(20), isHealed: () -> Bool, _ look: () async -> Landing
) async -> Landing {
    while true {
        let landing = await look()
        if landing.landed || isHealed() || Task.isCancelled { return landing }
        try? await Task.sleep(for: pause)
    }
}
