package import RigModel

/// How important a line of a log is.
package enum LogLevel: String, Sendable, CaseIterable, Comparable {
    case debug
    case info
    case warning = "warn"
    case error

    package static func < (a: LogLevel, b: LogLevel) -> Bool { a.rank < b.rank }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// Takes lines of a log; must be quick, since it is called on threads that relay. The fields are in order.
package typealias ProxyLog = @Sendable (_ level: LogLevel, _ message: String, _ fields: [JSONValue.Member]) -> Void
