import HostSystem

/// Not for people: the process that a run starts of itself, to heal when the run is killed.
enum WatchdogCommand {
    static let name = Watchdog.command

    static func run(_ arguments: [String]) -> Int32 {
        guard let journal = arguments.first else { return 2 }
        return Watchdog.main(journalPath: journal)
    }
}
