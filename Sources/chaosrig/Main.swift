import Glibc

/// The command line: parses arguments, wires the parts, turns the verdict into an exit code.
@main
enum Main {
    static func main() async {
        // A reader that goes away (`chaosrig run | head`) must not end the run before it has healed.
        signal(SIGPIPE, SIG_IGN)
        let code = await CommandTable.run(Array(CommandLine.arguments.dropFirst()))
        fflush(nil)
        exit(code)
    }
}
