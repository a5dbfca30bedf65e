import Glibc
import HostSystem
import Threading

/// Tries what faults of the client need of this machine, on a process that is made for it. Nothing is left behind.
enum ClientCapabilities {
    private static let limit = Duration.seconds(10)

    static func cpuLimit() async -> Availability {
        await controlGroup(.cpu, "cpu.cfs_quota_us", "5000", "cpu.max", "5000 100000")
    }

    static func memoryLimit() async -> Availability {
        await controlGroup(.memory, "memory.limit_in_bytes", "8388608", "memory.max", "8388608")
    }

    /// A group with a limit, and a process in it.
    private static func controlGroup(
        _ controller: ControlGroup.Controller, _ file1: String, _ value1: String, _ file2: String, _ value2: String
    ) async -> Availability {
        let remedy =
            geteuid() == 0
            ? "mount the control groups with the controller \(controller.rawValue) writable (in a container: --privileged)"
            : "run as root"
        guard let sleep = findProgram("sleep") else {
            return .missing(reason: "the program sleep is not on this machine", remedy: "apt-get install coreutils")
        }
        let child: ChildProcess
        do {
            child = try ChildProcess(SpawnRequest(path: sleep, arguments: ["20"]))
        } catch {
            return .missing(reason: "\(error)", remedy: remedy)
        }
        var group: ControlGroup?
        var answer: Availability
        do {
            let place = try ControlGroup.place(
                for: child.pid, controller: controller, name: "probe-\(controller.rawValue)-\(child.pid)")
            try place.make()
            group = place
            try place.set(place.isVersion2 ? value2 : value1, place.isVersion2 ? file2 : file1)
            try place.take(child.pid)
            answer = .available("a \(controller.rawValue) control group (version \(place.isVersion2 ? 2 : 1))")
        } catch {
            answer = .missing(reason: "\(error)", remedy: remedy)
        }
        child.signalGroup(SIGKILL)
        _ = await child.wait(within: limit)
        do { try await group?.remove() } catch { answer = .missing(reason: "\(error)", remedy: remedy) }
        return answer
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
