import RigModel

/// What the engine says of a container now. A value.
struct ContainerState: Equatable {
    struct Attachment: Equatable {
        var aliases: [String]
        /// What the compose file asks for beside that (addresses, links, options of the network's driver), as options of
        /// `docker network connect`. What the engine chose by itself is not among it.
        var settings: [Setting] = []
    }

    struct Setting: Equatable {
        var option: String
        var value: String
    }

    /// Of a container's id, where the engine uses it as a name.
    static let shortLength = 12

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
            networks[member.key] = Attachment(
                aliases: Self.texts(member.value["Aliases"]), settings: Self.settings(of: member.value))
        }
    }

    private static func settings(of network: JSONValue) -> [Setting] {
        let addresses = network["IPAMConfig"]
        func one(_ option: String, _ value: JSONValue?) -> [Setting] {
            value?.stringValue.flatMap { $0.isEmpty ? nil : [Setting(option: option, value: $0)] } ?? []
        }
        var settings = one("--ip", addresses?["IPv4Address"]) + one("--ip6", addresses?["IPv6Address"])
        settings += texts(addresses?["LinkLocalIPs"]).map { Setting(option: "--link-local-ip", value: $0) }
        settings += texts(network["Links"]).map { Setting(option: "--link", value: $0) }
        guard case .object(let options)? = network["DriverOpts"] else { return settings }
        return settings
            + options.compactMap { option in
                option.value.stringValue.map { Setting(option: "--driver-opt", value: "\(option.key)=\($0)") }
            }
    }

    private static func texts(_ value: JSONValue?) -> [String] { (value?.arrayValue ?? []).compactMap(\.stringValue) }
}
