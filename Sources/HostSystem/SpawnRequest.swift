import Glibc

/// What a child process is started with. A value: building it starts nothing.
package struct SpawnRequest: Sendable {
    /// Absolute path of the program.
    package var path: String
    /// Without the program's own name.
    package var arguments: [String]
    /// Argument 0; the path when `nil`.
    package var name: String?
    /// The whole environment of the child; this process's own when `nil`.
    package var environment: [String: String]?
    package var workingDirectory: String?
    package var user: ProcessUser?
    /// Descriptors of this process; `nil` is /dev/null. The child has no others, except `keptDescriptor`.
    package var standardInput: Int32?
    package var standardOutput: Int32?
    package var standardError: Int32?
    package var keptDescriptor: Int32?
    /// A session of its own: signals of the terminal do not reach it, and it leads a process group.
    package var newSession: Bool
    /// Where it runs; `nil` is the network of this process.
    package var network: NetworkNamespace?
    /// What the child gets when the thread that started it ends, and with it when this process is killed; `nil`: nothing.
    /// Only from a thread that lives as long as the child.
    package var deathSignal: Int32?

    package init(
        path: String, arguments: [String] = [], name: String? = nil, environment: [String: String]? = nil,
        workingDirectory: String? = nil, user: ProcessUser? = nil, standardInput: Int32? = nil,
        standardOutput: Int32? = nil, standardError: Int32? = nil, keptDescriptor: Int32? = nil,
        newSession: Bool = true, network: NetworkNamespace? = nil, deathSignal: Int32? = nil
    ) {
        self.path = path
        self.arguments = arguments
        self.name = name
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.user = user
        self.standardInput = standardInput
        self.standardOutput = standardOutput
        self.standardError = standardError
        self.keptDescriptor = keptDescriptor
        self.newSession = newSession
        self.network = network
        self.deathSignal = deathSignal
    }
}
