/// The settings of a server that is the run's own. They go with its folder: nothing is left of them after the run.
package protocol SettingsControl: Sendable {
    /// The value that holds now for new sessions, as `SHOW` prints it.
    func value(of setting: String) async throws -> String
    /// Changes settings (`ALTER SYSTEM`), reloads, and returns when a new session sees them.
    ///
    /// - Parameter value: `nil` takes the run's change back.
    /// - Throws: when the server refuses, or does not see them within 5 s.
    func set(_ settings: [(name: String, value: String?)]) async throws
}
