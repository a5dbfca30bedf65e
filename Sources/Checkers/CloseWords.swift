/// What the reasons of `pool/connection-closed` mean.
enum CloseWords {
    /// The pool itself wanted to be rid of a connection that was in order.
    private static let wanted: Set<String> = [
        "max-lifetime", "max-idle", "max-idle-time", "resized", "retired", "pool-closed",
    ]

    /// The connection was dead, out of step, or given up: anything that the pool did not want.
    static func isLoss(_ reason: String?) -> Bool { reason.map { !wanted.contains($0) } ?? false }

    /// The connection was needed no more because the pool itself was needed no more.
    static func isEndOfPool(_ reason: String?) -> Bool { reason == "pool-closed" }
}
