package import RigModel
import Threading

/// The primary dies and the standby takes over; the pool is led there a while later. Until then there is nobody at the
/// address that the pool knows.
///
/// Landed: the standby says that it is in recovery no more, and takes a write.
package struct Failover: Fault {
    package static let shape = Shape(
        name: "failover", summary: "the primary is killed, the standby is promoted, and the pool's address moves to it",
        parameters: [
            Parameter(
                "endpoint-moves-after", .duration, default: .duration(.seconds(2)),
                summary: "from the promotion until the pool's new connections get there"),
            Parameter(
                "promote", .choice(["standby", "nothing"]), default: .choice("standby"),
                summary: "nothing: a failover that fails, until the old primary is started again"),
        ])

    private let movesAfter: Duration
    private let promotes: Bool

    package init(_ parameters: Parameters) {
        movesAfter = parameters.duration("endpoint-moves-after") ?? .seconds(2)
        promotes = parameters.choice("promote") != "nothing"
    }

    package var needs: Set<StagePart> { [.server, .standby, .statements, .link] }
    package var capabilities: [Set<Capability>] { [[.baseBackup]] }
    package var claims: Set<Claim> { [.serverLife] }
    package var ownDuration: Duration? { movesAfter }
    package var detail: String {
        promotes ? "to the standby, the address moves after \(movesAfter.words)" : "to nothing"
    }
    package func makeInjection(seed: UInt64) -> any Injection { Takeover(promotes: promotes) }

    private actor Takeover: Injection {
        private static let limit = Duration.seconds(30)
        private static let followLimit = Duration.seconds(10)

        private let promotes: Bool
        private var oldPID: Int32?
        private var isPromoted = false
        private var isHealed = false
        private var downSince = MonotonicInstant.now

        init(promotes: Bool) { self.promotes = promotes }

        func inject(on stage: FaultStage) async throws {
            let server = try stage.needed(stage.server, .server)
            let standby = try stage.needed(stage.standby, .standby)
            oldPID = await server.postmasterPID()
            guard oldPID != nil else { throw InjectionError("the server does not run: there is nothing to fail over") }
            // Only then the standby has everything that was acknowledged.
            guard await eventually(within: Self.followLimit, { await standby.isFollowing() }) else {
                throw InjectionError("the standby does not follow the primary: it was promoted before, or is behind")
            }
            downSince = .now
            // To the last process: an old backend must not take a write that the new primary does not have.
            try await server.stop(.crash, within: Self.limit)
            guard promotes else { return }
            try await standby.promote(within: Self.limit)
            isPromoted = true
        }

        func prove(on stage: FaultStage) async -> Landing {
            var evidence: [JSONValue.Member] = [.init("old_postmaster", JSONValue(oldPID.map { Int($0) }))]
            guard let standby = stage.standby, let statements = stage.statements, isPromoted else {
                evidence.append(.init("reason", "no standby was promoted"))
                return Landing(landed: false, evidence: .object(evidence))
            }
            let isInRecovery = await standby.isInRecovery()
            evidence.append(.init("in_recovery", isInRecovery.map { .bool($0) } ?? .null))
            do throws(StatementFailure) {
                let table = "\(statements.prefix)_failover"
                try await statements.run("CREATE TABLE \(table) ()", within: .seconds(5))
                try await statements.run("DROP TABLE \(table)", within: .seconds(5))
            } catch {
                evidence.append(.init("reason", .string("the new primary takes no write: \(error)")))
                return Landing(landed: false, evidence: .object(evidence))
            }
            evidence.append(.init("write", "accepted"))
            if isInRecovery != false { evidence.append(.init("reason", "the standby is still in recovery")) }
            return Landing(landed: isInRecovery == false, evidence: .object(evidence))
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            let server = try stage.needed(stage.server, .server)
            guard !isHealed else { return ["healed_before": true] }
            if isPromoted {
                try await stage.needed(stage.standby, .standby).movePool()
            } else {
                try await server.start(within: Self.limit)
            }
            try await server.waitUntilServing(within: Self.limit)
            let link = try stage.needed(stage.link, .link)
            let isThrough = await eventually(within: Self.limit) {
                (try? await link.roundTrip(within: .seconds(2))) != nil
            }
            await link.endRoundTrips()
            guard isThrough else { throw InjectionError("the pool's address does not lead to the new primary") }
            isHealed = true
            return ["down_s": .double(downSince.duration(to: .now).seconds), "promoted": .bool(isPromoted)]
        }
    }
}
