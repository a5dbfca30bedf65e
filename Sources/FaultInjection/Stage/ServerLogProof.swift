/// What the server wrote about the pool's sessions since a fault began, as far as it proves the fault. A value.
struct ServerLogProof: Sendable {
    let proves: @Sendable (ServerLogMessage) -> Bool
    private var position: Int?

    init(_ proves: @escaping @Sendable (ServerLogMessage) -> Bool) { self.proves = proves }

    /// The same for a fault that begins now.
    func begun(on stage: FaultStage) async -> ServerLogProof {
        var begun = self
        begun.position = await stage.log?.position()
        return begun
    }

    func hits(on stage: FaultStage) async -> [ServerLogMessage] {
        guard let log = stage.log, let position else { return [] }
        return await log.messages(since: position).filter(proves)
    }

    /// Waits for the first hit; to the end of the fault, when there is none.
    func waitForHits(on stage: FaultStage) async -> [ServerLogMessage] {
        while !Task.isCancelled {
            let found = await hits(on: stage)
            if !found.isEmpty { return found }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return await hits(on: stage)
    }
}

extension ServerLogMessage {
    /// For evidence.
    var words: String { "\(severity): \(text)" }
}
