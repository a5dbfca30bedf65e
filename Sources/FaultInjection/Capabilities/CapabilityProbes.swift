import HostSystem

/// Tries what this machine can do for faults. Everything is tried in a throw-away place: nothing is changed.
package enum CapabilityProbes {
    static let limit = Duration.seconds(20)

    /// Tells the major version of the server's programs, or throws why there are none.
    package typealias ServerMajor = @Sendable () async throws -> Int

    /// Takes from a few milliseconds to about a second.
    package static func probe(
        _ capability: Capability, with programs: any ProgramRunner, serverMajor: ServerMajor
    ) async -> Availability {
        switch capability {
        case .tmpfs: await tmpfs(programs)
        case .baseBackup: await baseBackup(programs)
        case .openssl: await openssl(programs)
        case .postgres14: await server(atLeast: 14, serverMajor)
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
        _ capabilities: Set<Capability>, with programs: any ProgramRunner, serverMajor: ServerMajor
    ) async -> [Capability: Availability] {
        var answers: [Capability: Availability] = [:]
        for capability in Capability.allCases where capabilities.contains(capability) {
            answers[capability] = await probe(capability, with: programs, serverMajor: serverMajor)
        }
        return answers
    }

    private static func server(atLeast wanted: Int, _ serverMajor: ServerMajor) async -> Availability {
        do {
            let major = try await serverMajor()
            return major >= wanted
                ? .available("PostgreSQL \(major)")
                : .missing(
                    reason: "the server's programs are of PostgreSQL \(major)",
                    remedy: "install PostgreSQL \(wanted) or later, or name its folder: CHAOSRIG_PG_BINDIR")
        } catch {
            return .missing(reason: "\(error)", remedy: "")
        }
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
