import RigModel

/// What the engine says of a container now. A value.
struct ContainerState: Equatable {
    struct Attachment: Equatable {
        var aliases: [String]
        /// Set by the compose file; `nil` where the engine chooses.
        var fixedAddress: String?
    }

    var service: String?
    var project: String?
    var isRunning: Bool
    var isPaused: Bool
    /// `running`, `paused`, `exited`, …
    var status: String
    var startedAt: String
    var finishedAt: String
    var exitCode: Int
    /// By name.
    var networks: [String: Attachment]

    /// For `docker inspect --format`: one line, and nothing of the environment, which holds passwords.
    static let format = """
        {"state":{{json .State}},"labels":{{json .Config.Labels}},"networks":{{json .NetworkSettings.Networks}}}
        """

    /// Reads the line that ``format`` makes, among others.
    ///
    /// - Returns: `nil` when there is none.
    init?(output: String) {
        guard let line = output.split(whereSeparator: \.isNewline).last(where: { $0.hasPrefix("{") }),
            let value = try? JSONValue(parsing: String(line)), let state = value["state"],
            let status = state["Status"]?.stringValue
        else { return nil }
        service = value["labels"]?["com.docker.compose.service"]?.stringValue
        project = value["labels"]?["com.docker.compose.project"]?.stringValue
        isRunning = state["Running"] == true
        isPaused = state["Paused"] == true
        self.status = status
        startedAt = state["StartedAt"]?.stringValue ?? ""
        finishedAt = state["FinishedAt"]?.stringValue ?? ""
        exitCode = state["ExitCode"]?.intValue.map { Int($0) } ?? 0
        networks = [:]
        guard case .object(let members)? = value["networks"] else { return }
        for member in members {
            let address = member.value["IPAMConfig"]?["IPv4Address"]?.stringValue
            networks[member.key] = Attachment(
                aliases: (member.value["Aliases"]?.arrayValue ?? []).compactMap(\.stringValue),
                fixedAddress: address.flatMap { $0.isEmpty ? nil : $0 })
        }
    }
}
