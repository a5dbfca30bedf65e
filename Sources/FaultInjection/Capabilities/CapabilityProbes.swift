import HostSystem

/// Tries what this machine can do for faults. Everything is tried in a throw-away place: nothing is changed.
package enum CapabilityProbes {
    static let limit = Duration.seconds(20)

    /// Takes from a few milliseconds to about a second.
    package static func probe(_ capability: Capability, with programs: any ProgramRunner) async -> Availability {
        switch capability {
        case .tmpfs: await tmpfs(programs)
        case .baseBackup: await baseBackup(programs)
        case .openssl: await openssl(programs)
        case .pgBouncer: await pgBouncer(programs)
        case .containers: await containers(programs)
        case .privateStage, .packetRules, .packetQueue, .netem, .rateLimit, .socketKill:
            await StageProbes.probe(capability, programs: programs)
        case .cpuLimit: await ClientCapabilities.controlGroup(.cpu)
        case .memoryLimit: await ClientCapabilities.controlGroup(.memory)
        case .fakeTime: await ClientCapabilities.fakeTime()
        }
    }

    /// Several, one after the other.
    package static func probe(
        _ capabilities: Set<Capability>, with programs: any ProgramRunner
    ) async -> [Capability: Availability] {
        var answers: [Capability: Availability] = [:]
        for capability in Capability.allCases where capabilities.contains(capability) {
            answers[capability] = await probe(capability, with: programs)
        }
        return answers
    }

    /// Runs a program that shows the capability when it ends with 0.
    static func attempt(
        _ arguments: [String], with programs: any ProgramRunner, shows: String, package: String
    ) async -> Availability {
        do {
            let result = try await programs.run(arguments, within: limit)
            if result.exitCode == 0 { return .available(shows) }
            let words = result.output.split(separator: "\n").first.map(String.init) ?? "it says nothing"
            if result.exitCode == 127 { return .missing(reason: words, remedy: "apt-get install \(package)") }
            return .missing(
                reason: "\(arguments.joined(separator: " ")) ended with \(result.exitCode): \(words)", remedy: "")
        } catch {
            return .missing(reason: "\(error)", remedy: "")
        }
    }
}
