package import RigModel
import Threading

/// The pooler gives connections a short life: its own to the server (nobody may notice), or those of clients that rest.
///
/// Landed: PgBouncer's log says that it closed connections for this reason.
package struct PoolerLifetime: Fault {
    package static let shape = Shape(
        name: "pgbouncer-lifetime", summary: "the PgBouncer in front closes old server connections, or idle clients",
        parameters: [
            Parameter(
                "server-lifetime", .duration,
                summary: "server connections that are older are closed when no client has them"),
            Parameter(
                "client-idle-timeout", .duration,
                summary: "clients that asked nothing for so long are closed (transaction pooling only)"),
        ], isLasting: true)

    private let settings: [LifetimeSetting]

    package init(_ parameters: Parameters) {
        settings = [
            parameters.duration("server-lifetime").map { LifetimeSetting(kind: .serverLifetime, limit: $0) },
            parameters.duration("client-idle-timeout").map { LifetimeSetting(kind: .clientIdleTimeout, limit: $0) },
        ].compactMap { $0 }
    }

    package static func problems(with parameters: Parameters, on target: TargetTraits) -> [ParameterProblem] {
        var problems = parameters.zeroProblems("server-lifetime", "client-idle-timeout")
        if parameters.duration("server-lifetime") == nil, parameters.duration("client-idle-timeout") == nil {
            problems.append(.init(nil, "server-lifetime, client-idle-timeout or both were expected"))
        }
        // PgBouncer's janitor passes over clients that have a server connection.
        if target.poolsBySession, parameters.duration("client-idle-timeout") != nil {
            problems.append(
                .init(
                    "client-idle-timeout",
                    "with pgbouncer: session no client rests, for PgBouncer: each has a server connection as long as it is "
                        + "connected; it needs pgbouncer: transaction"))
        }
        return problems
    }

    package var needs: Set<StagePart> { [.pooler] }
    package var capabilities: [Set<Capability>] { [[.pgBouncer]] }
    package var claims: Set<Claim> { [.poolerLife] }
    package var ownDuration: Duration? { nil }
    package var detail: String {
        settings.isEmpty
            ? "nothing to set" : settings.map { "\($0.kind.rawValue) \($0.limit.words)" }.joined(separator: ", ")
    }
    package func makeInjection(seed: UInt64) -> any Injection { ShortLives(settings: settings) }

    private actor ShortLives: Injection {
        private let settings: [LifetimeSetting]
        private var before: [(setting: LifetimeSetting, value: String)] = []
        private var logStart = 0

        init(settings: [LifetimeSetting]) { self.settings = settings }

        func inject(on stage: FaultStage) async throws {
            let pooler = try stage.needed(stage.pooler, .pooler)
            guard !settings.isEmpty else {
                throw InjectionError("neither server-lifetime nor client-idle-timeout was given")
            }
            logStart = await pooler.logPosition()
            for setting in settings {
                before.append((setting, try await pooler.value(of: setting.kind.name)))
                try await set(setting.kind, to: setting.value, on: pooler)
            }
        }

        private func set(
            _ kind: LifetimeSetting.Kind, to value: String, on pooler: any PoolerControl
        ) async throws {
            _ = try await pooler.console("SET \(kind.name) = '\(value)'", within: type(of: pooler).lookLimit)
            let now = try await pooler.value(of: kind.name)
            guard Double(now) == Double(value) else { throw InjectionError("\(kind.name) is \(now) and not \(value)") }
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let pooler = stage.pooler, !settings.isEmpty else {
                return Landing(landed: false, evidence: ["reason": "no setting was changed"])
            }
            var counts: [Int] = []
            let isProven = await eventually(within: .seconds(86_400), every: .milliseconds(100)) {
                let lines = await pooler.logLines(since: logStart)
                counts = settings.map { setting in lines.count { $0.contains(setting.kind.logWords) } }
                return counts.allSatisfy { $0 > 0 }
            }
            var evidence = zip(settings, counts).map { setting, count in
                JSONValue.Member("closed_by_\(setting.kind.name)", JSONValue(count))
            }
            if !isProven {
                let idle = zip(settings, counts).filter { $0.1 == 0 }.map(\.0.kind.rawValue)
                evidence.append(
                    .init("reason", .string("PgBouncer closed nothing by \(idle.joined(separator: ", "))")))
            }
            return Landing(landed: isProven, evidence: .object(evidence))
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            let pooler = try stage.needed(stage.pooler, .pooler)
            for (setting, value) in before { try await set(setting.kind, to: value, on: pooler) }
            before = []
            let lines = await pooler.logLines(since: logStart)
            return .object(
                settings.map { setting in
                    .init(
                        "closed_by_\(setting.kind.name)",
                        JSONValue(lines.count { $0.contains(setting.kind.logWords) }))
                })
        }
    }
}

/// A limit that PgBouncer knows.
struct LifetimeSetting: Sendable {
    enum Kind: String {
        case serverLifetime = "server-lifetime"
        case clientIdleTimeout = "client-idle-timeout"

        /// In PgBouncer.
        var name: String { rawValue.replacing("-", with: "_") }
        /// What it logs when it closes a connection for it.
        var logWords: String {
            switch self {
            case .serverLifetime: "closing because: server lifetime over"
            case .clientIdleTimeout: "closing because: client_idle_timeout"
            }
        }
    }

    var kind: Kind
    var limit: Duration
    /// In seconds. 0 would mean no limit.
    var value: String { "\(max(0.001, limit.seconds))" }
}
