import RigModel

/// Reads when a fault is injected: `at`, `every`, `jitter`, `times`, `for`.
struct ScheduleReader {
    let section: SectionReader
    let phases: Scenario.Phases
    let log: ProblemLog

    /// The schedule of a fault that stands for itself.
    func read(_ shape: Shape) -> Scenario.Schedule {
        var schedule = readShared()
        schedule.duration = duration(shape)
        if let duration = schedule.duration, let every = schedule.every, duration > every {
            complain("for", "for: longer than every:; the fault would be injected while it still lasts")
        }
        return schedule
    }

    /// All but `for`, which in a group stands at each fault.
    func readShared() -> Scenario.Schedule {
        let every = section.value("every")?.durationValue
        let at = section.value("at")?.durationValue ?? every ?? .zero
        let jitter = section.value("jitter")?.durationValue ?? .zero
        let times = section.value("times")?.countValue
        if phases.faults > .zero, at >= phases.faults {
            let key = section.keys.contains("at") ? "at" : "every"
            complain(
                key,
                "\(key): the first injection at \(ParameterValue.text(of: at)) is not within the faults phase "
                    + "of \(ParameterValue.text(of: phases.faults))")
        }
        if let every, jitter > every {
            complain("jitter", "jitter: at most the period of \(ParameterValue.text(of: every))")
        }
        if let times, times > 1, !section.keys.contains("every") { complain("times", "times: needs every: as well") }
        return Scenario.Schedule(at: at, every: every, jitter: jitter, times: times, duration: nil)
    }

    /// `for` of one fault.
    func duration(_ shape: Shape) -> Duration? {
        let duration = section.value("for")?.durationValue
        if duration != nil, !shape.isLasting {
            complain("for", "for: \(shape.name) is over at once or has a duration of its own; it takes no for:")
        }
        return duration
    }

    private func complain(_ key: String, _ message: String) { log.add(section.position(key), message) }
}
