import DatabaseServers
import FaultInjection
import Glibc
import HostSystem
import RigModel
import ScenarioFile

/// What a run's faults ask of the way between pool and server, and what this machine gives them. Made before anything starts.
struct StagePlan: Sendable {
    /// On a private stage: where the server is to live.
    var link: PrivateLink?
    /// The run's temporary folder.
    let folder: String
    /// What works there, or on loopback, of what the faults name.
    var capabilities: Set<Capability> = []
    /// What the machine said to each capability that was asked for, for the history.
    var answers: [(Capability, Availability)] = []
    /// The server's name, where the pool looks it up.
    var names: PrivateNames?
    /// There is a relay between pool and server.
    var needsRelay = false
    /// The pool's way is measured or disturbed somehow.
    var needsLink = false

    /// Faults of this kind touch packets or mounts.
    static func wantsPrivateStage(_ scenario: Scenario) -> Bool {
        guard case .managedPostgres(let options) = scenario.target else { return false }
        // A pooler is in the rig's network, and so is the standby: a link between them and the server would be a second one.
        guard options.pgBouncer == nil, !options.standby else { return false }
        return options.name
            || ScenarioRun.faults(of: scenario).contains { fault in
                fault.capabilities.contains { $0.contains(where: \.wantsPrivateStage) }
            }
    }

    /// Refuses faults that this target leaves no way, whatever the machine can do. Tries nothing.
    static func check(_ scenario: Scenario) throws(RunError) {
        // Outside a private stage a run touches one port of loopback, and nothing else.
        let possible: Set<Capability> =
            wantsPrivateStage(scenario) ? StageProbes.capabilities : [.packetRules, .socketKill]
        for fault in ScenarioRun.faults(of: scenario)
        where fault.capabilities.contains([.tmpfs]) && !wantsPrivateStage(scenario) && geteuid() != 0 {
            throw .missing(
                "\(type(of: fault).shape.name) cannot be made here: without root it needs a private stage, which a target "
                    + "with a standby or a PgBouncer has not")
        }
        for fault in ScenarioRun.faults(of: scenario)
        where !fault.capabilities.contains(where: { $0.intersection(StageProbes.capabilities).isSubset(of: possible) })
        {
            throw .missing("\(type(of: fault).shape.name) cannot be made here: \(Self.wantsOwnServer)")
        }
    }

    private static let wantsOwnServer =
        "it needs a server of the run's own on a private stage (target: {postgres: managed}, Linux, root or user namespaces)"

    /// Tries what the scenario's faults name.
    ///
    /// - Parameter folder: the run's temporary folder.
    /// - Throws: ``RunError/missing(_:)`` when a fault has no way left.
    static func make(
        _ scenario: Scenario, journal: any UndoJournal, folder: String
    ) async throws(RunError) -> StagePlan {
        var plan = StagePlan(folder: folder)
        let faults = ScenarioRun.faults(of: scenario)
        plan.needsLink = faults.contains { $0.needs.contains(.link) }
        let named = faults.reduce(into: Set<Capability>()) { set, fault in
            for alternative in fault.capabilities { set.formUnion(alternative) }
        }.intersection(StageProbes.capabilities)
        if PrivateStage.state == .inside, wantsPrivateStage(scenario) {
            for capability in Capability.allCases where named.contains(capability) {
                await plan.add(capability, StageProbes.probe(capability, programs: SystemPrograms()))
            }
            do {
                plan.link = try await PrivateLink.make(programs: SystemPrograms(), journal: journal, folder: folder)
            } catch {
                plan.add(.privateStage, .missing(reason: "\(error)", remedy: "apt-get install iproute2"))
                plan.capabilities = []
            }
        } else {
            if named.contains(.packetRules) { plan.add(.packetRules, await loopbackRules()) }
            if named.contains(.socketKill) {
                plan.add(.socketKill, await StageProbes.probe(.socketKill, programs: SystemPrograms()))
            }
        }
        if case .managedPostgres(let options) = scenario.target, options.name { try plan.addNames() }
        let place = plan.place(port: 0, runID: "")
        for fault in faults {
            guard let alternative = fault.alternative(at: place) else { throw plan.refusal(of: fault) }
            if alternative.isEmpty, fault.needs.contains(.link) { plan.needsRelay = true }
        }
        // On a server that is not the run's own only the relay's port is the pool's alone.
        if case .postgres = scenario.target, !plan.capabilities.isEmpty { plan.needsRelay = true }
        return plan
    }

    /// - Parameter port: that the pool connects to.
    func place(port: UInt16, runID: String) -> NetworkPlace? {
        guard !capabilities.isEmpty || link != nil else { return nil }
        return NetworkPlace(
            serverNetwork: link?.namespace, serverDevice: link == nil ? "lo" : PrivateLink.serverDevice,
            clientDevice: link == nil ? "lo" : PrivateLink.clientDevice,
            serverAddresses: link == nil ? ["127.0.0.1"] : PrivateLink.serverAddresses, port: port,
            capabilities: capabilities, runID: runID, folder: folder)
    }

    /// For the history.
    var facts: JSONValue {
        let stage: JSONValue =
            switch PrivateStage.state {
            case .inside:
                .string(link == nil ? "namespaces of the run's own" : "namespaces of the run's own, veth c0-s0")
            case .outside: "this machine"
            case .unavailable(let reason): .string("this machine; no private stage: \(reason)")
            }
        let probes = answers.map { capability, answer -> JSONValue.Member in
            switch answer {
            case .available: .init(capability.rawValue, true)
            case .missing(let reason, _): .init(capability.rawValue, .string(reason))
            }
        }
        return ["stage": stage, "relay": .bool(needsRelay), "capabilities": .object(probes)]
    }

    private mutating func addNames() throws(RunError) {
        guard link != nil else {
            var reason = "the pool cannot look its server up by a name here: that needs a private stage"
            if case .unavailable(let why) = PrivateStage.state { reason += " (\(why))" }
            for case (_, .missing(let why, _)) in answers { reason += " (\(why))" }
            throw .missing(reason)
        }
        do { names = try PrivateNames(address: PrivateLink.serverAddresses[0], folder: folder) } catch {
            throw .missing("the pool cannot look its server up by a name here: \(error)")
        }
    }

    /// Gives back what the plan holds.
    func end() async {
        names?.stop()
        await link?.remove(programs: SystemPrograms())
    }

    private mutating func add(_ capability: Capability, _ answer: Availability) {
        answers.append((capability, answer))
        if answer.isAvailable { capabilities.insert(capability) }
    }

    private func refusal(of fault: any Fault) -> RunError {
        let name = type(of: fault).shape.name
        let wanted = fault.capabilities.reduce(into: Set<Capability>()) { $0.formUnion($1) }
        var reasons = answers.compactMap { capability, answer -> String? in
            // Without the stage there is no capability either, whatever the others said.
            guard wanted.contains(capability) || capability == .privateStage,
                case .missing(let reason, let remedy) = answer
            else { return nil }
            return "\(capability.rawValue): \(reason); to get it: \(remedy)"
        }
        if case .unavailable(let reason) = PrivateStage.state { reasons.insert("no private stage: \(reason)", at: 0) }
        if reasons.isEmpty {
            reasons = [Self.wantsOwnServer]
        }
        return .missing("\(name) cannot be made here: \(reasons.joined(separator: "; "))")
    }

    /// On the machine's own loopback. Only looked at, not tried: a rule that was tried would be one of this machine.
    private static func loopbackRules() async -> Availability {
        guard geteuid() == 0 else {
            return .missing(reason: "only root may make packet rules", remedy: "run as root, or allow user namespaces")
        }
        let result = try? await SystemPrograms().run(["iptables", "-w", "-S"], within: .seconds(10))
        return result?.exitCode == 0
            ? .available("iptables on loopback")
            : .missing(reason: result?.output ?? "iptables does not answer", remedy: "apt-get install iptables")
    }
}
