package import ConnectionPool

extension AdapterPool {
    package struct Options: Sendable {
        /// Program (absolute path) and arguments.
        package var command: [String]
        /// Argument 0 of the program; its path when `nil`.
        package var name: String?
        package var environment: [String: String]
        package var logPath: String
        /// From the start to the hello.
        package var helloLimit = Duration.seconds(15)
        /// Of the pool, for the wait for a connection.
        package var acquireTimeout: Duration
        /// An attempt is given up by the rig so long after it was begun: longer than the pool's own limits add up to.
        package var answerLimit: Duration
        package var closeTimeout: Duration
        package var policy: RetryPolicy
        package var seed: UInt64
        /// What opens a transaction that a client leaves open.
        package var begin = SQLStatement("BEGIN", role: .begin)

        package init(
            command: [String], name: String?, environment: [String: String], logPath: String, acquireTimeout: Duration,
            answerLimit: Duration, closeTimeout: Duration, policy: RetryPolicy, seed: UInt64
        ) {
            self.command = command
            self.name = name
            self.environment = environment
            self.logPath = logPath
            self.acquireTimeout = acquireTimeout
            self.answerLimit = answerLimit
            self.closeTimeout = closeTimeout
            self.policy = policy
            self.seed = seed
        }
    }
}
