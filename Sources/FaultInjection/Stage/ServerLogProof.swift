/// What the server wrote about the pool's sessions since a fault began, as far as it proves the fault. No line is read twice.
actor ServerLogProof {
    private let proves: @Sendable (ServerLogMessage) -> Bool
    /// `nil`: the fault has not begun, or there is no log.
    private var position: LogPosition?
    private var found: [ServerLogMessage] = []

    init(_ proves: @escaping @Sendable (ServerLogMessage) -> Bool) { self.proves = proves }

    /// The fault begins now.
    func begin(on stage: FaultStage) async { position = await stage.log?.position() }

    /// All so far.
    func hits(on stage: FaultStage) async -> [ServerLogMessage] {
        guard let log = stage.log else { return [] }
        while let from = position {
            let (new, end) = await log.messages(since: from)
            // Proof and healing may look at the same time: what both have read counts once.
            guard position == from else { continue }
            position = end
            found += new.filter(proves)
            break
        }
        return found
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
