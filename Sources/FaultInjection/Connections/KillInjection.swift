import RigModel
import Threading

/// Looks for the sessions that a ``KillConnections`` wants, and ends them.
actor KillInjection: Injection {
    /// A rare selection may match nothing at first, or nothing that lives on until it is hit: it is tried again for so long.
    private static let huntLimit = Duration.seconds(2)
    private static let programLimit = Duration.seconds(5)

    private let fault: KillConnections
    private let how: KillConnections.How
    private var generator: SeededGenerator
    private var aimedAt = 0
    private var ended: [ServerSession] = []
    /// What else there is to say about it.
    private var facts: [JSONValue.Member] = []

    init(fault: KillConnections, how: KillConnections.How, generator: SeededGenerator) {
        self.fault = fault
        self.how = how
        self.generator = generator
    }

    func inject(on stage: FaultStage) async throws {
        let control = try stage.needed(stage.sessions, .sessions)
        let giveUpAt = MonotonicInstant.now.advanced(by: Self.huntLimit)
        while true {
            let targets = fault.choose(try await control.sessions(), &generator)
            if !targets.isEmpty {
                aimedAt += targets.count
                facts = []
                try await end(targets, on: stage, control)
            }
            // Sessions of a pool that keeps none for long may all have left by themselves before they were hit.
            if !ended.isEmpty || !fault.wantsAny || MonotonicInstant.now >= giveUpAt { return }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func end(_ targets: [ServerSession], on stage: FaultStage, _ control: any SessionControl) async throws {
        switch how {
        case .terminate: ended = try await control.terminate(targets)
        case .reset, .fin: try await cut(targets, on: stage, control)
        case .socketKill: try await killSockets(of: targets, on: stage, control)
        }
    }

    private func cut(_ targets: [ServerSession], on stage: FaultStage, _ control: any SessionControl) async throws {
        let link = try stage.needed(stage.link, .link)
        let found = await link.end(backends: Set(targets.map(\.pid)), how == .reset ? .reset : .finish)
        ended = targets.filter { found.contains($0.pid) }
        try await noteGone(control)
    }

    private func killSockets(
        of targets: [ServerSession], on stage: FaultStage, _ control: any SessionControl
    ) async throws {
        let statements = try stage.needed(stage.statements, .statements)
        let text = try await statements.run("SHOW port", within: .seconds(2)).first?.first ?? nil
        guard let port = text.flatMap({ Int($0) }) else { throw InjectionError("the server does not tell its port") }
        let kill = SocketKill(serverPort: port, clients: targets.compactMap(SocketKill.client))
        guard !kill.clients.isEmpty else {
            facts.append(.init("why", "the sessions come over a Unix socket, and ss closes none of those"))
            return
        }
        let answer = try await stage.runBesideServer(kill.arguments, within: Self.programLimit)
        let closed = kill.closedClientPorts(answer.output)
        ended = targets.filter { closed.contains($0.clientPort ?? -1) }
        if ended.isEmpty {
            let words = answer.output.prefix(300)
            facts.append(.init("why", .string("ss -K closed nothing (exit code \(answer.exitCode)): \(words)")))
        }
        try await noteGone(control)
    }

    /// A session that is busy lives on for the time of its statement: the server looks at its socket only then.
    private func noteGone(_ control: any SessionControl) async throws {
        facts.append(.init("gone_from_the_server", JSONValue(try await control.waitUntilGone(ended).count)))
    }

    func prove(on stage: FaultStage) async -> Landing {
        guard aimedAt > 0 else {
            return Landing(
                landed: false,
                evidence: ["reason": .string("no session matched (\(fault.detail)) within \(Self.huntLimit.words)")])
        }
        var evidence: [JSONValue.Member] = [
            .init("how", .string(how.rawValue)), .init("aimed_at", JSONValue(aimedAt)),
            .init("ended", JSONValue(ended.count)),
            .init(
                "sessions",
                .array(
                    ended.prefix(20).map {
                        [
                            "pid": JSONValue($0.pid), "started_at": .string($0.startedAt),
                            "state": .string($0.state), "age_s": .double($0.ageSeconds),
                        ]
                    })),
        ]
        evidence += facts
        if ended.isEmpty { evidence.append(.init("reason", "none of the sessions that were aimed at ended")) }
        return Landing(landed: !ended.isEmpty, evidence: .object(evidence))
    }

    func heal(on stage: FaultStage) async throws -> JSONValue { ["nothing_to_undo": true] }
}
