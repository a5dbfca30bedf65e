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
        let code = await CommandTable.run(Array(CommandLine.arguments.dropFirst()))
        fflush(nil)
        exit(code)
    }
}
