import Glibc
import HostSystem

/// The command line: parses arguments, wires the parts, turns the verdict into an exit code.
@main
enum Main {
    static func main() async {
        // Before there is a second thread.
        PrivateStage.enterIfAsked()
        // A reader that goes away (`chaosrig run | head`) must not end the run before it has healed.
        signal(SIGPIPE, SIG_IGN)
        let code = await CommandTable.run(Array(arguments.dropFirst()))
        fflush(nil)
        exit(Output.exitCode(code))
    }

    /// With libfaketime preloaded (the fault client-clock) the standard library finds no arguments, not even the program's name.
    private static var arguments: [String] {
        let found = CommandLine.arguments
        return found.isEmpty ? ProcessTable.commandLine(of: getpid()) ?? [] : found
    }
}
