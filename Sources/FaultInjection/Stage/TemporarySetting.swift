/// A setting of the run's own server that has another value for the time of a fault.
actor TemporarySetting {
    nonisolated let name: String
    /// What held when the fault began; `nil` when nothing is changed.
    private(set) var before: String?

    init(_ name: String) { self.name = name }

    func change(to value: String, on stage: FaultStage) async throws {
        let settings = try stage.needed(stage.settings, .settings)
        before = try await settings.value(of: name)
        try await settings.set([(name, value)])
    }

    /// Idempotent.
    ///
    /// - Throws: when the server does not say again what it said before.
    func restore(on stage: FaultStage) async throws {
        guard let before else { return }
        let settings = try stage.needed(stage.settings, .settings)
        try await Retrying.undo {
            try await settings.set([(name, nil)])
            let now = try await settings.value(of: name)
            guard now == before else {
                throw InjectionError("\(name) is \(now) after the fault, and was \(before) before it")
            }
        }
        self.before = nil
    }
}
