import Glibc
import HostSystem
import Threading

/// Tries what faults of the client need of this machine, on a process that is made for it. Nothing is left behind.
enum ClientCapabilities {
    private static let limit = Duration.seconds(10)

    static func controlGroup(_ controller: ControlGroup.Controller) async -> Availability {
        let remedy =
            geteuid() == 0
            ? "mount the control groups with the controller \(controller.rawValue) writable (in a container: --privileged)"
            : "run as root"
        var call = ProgramCall(
            path: RigProgram.path, arguments: [ControlGroupTrial.command, controller.rawValue], timeout: limit)
        call.outlivesRig = true
        do {
            let result = try await call.run()
            let words = result.standardOutput.firstLine
            return result.succeeded ? .available(words) : .missing(reason: words, remedy: remedy)
        } catch {
            return .missing(reason: "\(error)", remedy: remedy)
        }
    }

    /// A program that prints the time, an hour ahead.
    static func fakeTime() async -> Availability {
        guard let library = FakeTimeLibrary.path else {
            return .missing(reason: "there is no libfaketime", remedy: FakeTimeLibrary.install)
        }
        guard let date = findProgram("date") else {
            return .missing(reason: "the program date is not on this machine", remedy: "apt-get install coreutils")
        }
        do {
            let result = try await runProgram(
                path: date, arguments: ["+%s"], environment: ["LD_PRELOAD": library, "FAKETIME": "+3600s"],
                timeout: limit)
            let shown = Int(result.standardOutput.filter(\.isNumber)) ?? 0
            if abs(shown - time(nil) - 3600) < 60 { return .available("libfaketime moves the clock of a program") }
            return .missing(
                reason: "with libfaketime preloaded date shows \(shown), which is not an hour ahead",
                remedy: FakeTimeLibrary.install)
        } catch {
            return .missing(reason: "\(error)", remedy: FakeTimeLibrary.install)
        }
    }
}
