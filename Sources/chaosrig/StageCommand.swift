import HostSystem

/// Not for people: tries something in a throw-away network and mount namespace.
enum StageCommand {
    static let name = PrivateStage.command

    static func run(_ arguments: [String]) -> Int32 { PrivateStage.main(arguments) }
}
