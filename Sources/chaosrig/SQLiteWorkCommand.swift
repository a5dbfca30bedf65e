import Orchestrator

/// Not for people: the process that holds locks of a database file for a fault.
enum SQLiteWorkCommand {
    static let name = SQLiteWorker.command

    static func run(_ arguments: [String]) -> Int32 { SQLiteWorker.main(arguments) }
}
