package import RigModel
import Threading

/// The server is restarted, and takes long to recover: it accepts connections, and says to each that it is starting up.
///
/// Landed: a new connection gets 57P03.
package struct StartingUp: Fault {
    package static let shape = Shape(
        name: "starting-up", summary: "the server restarts and says for a set time that it is starting up (57P03)",
        parameters: [
            Parameter(
                "hold", .duration, default: .duration(.seconds(5)), summary: "how long its recovery is held open"),
            Parameter(
                "mode", .choice(["fast", "immediate", "crash"]), default: .choice("fast"),
                summary: "how it is stopped before"),
        ])

    private let hold: Duration
    private let mode: ShutdownMode

    package init(_ parameters: Parameters) {
        hold = parameters.duration("hold") ?? .seconds(5)
        mode = parameters.choice("mode").flatMap(ShutdownMode.init) ?? .fast
    }

    package var needs: Set<StagePart> { [.server] }
    package var claims: Set<Claim> { [.serverLife] }
    package var ownDuration: Duration? { hold }
    package var detail: String { "recovery held for \(hold.words)" }
    package func makeInjection(seed: UInt64) -> any Injection { LongRecovery(mode: mode, isHeld: hold > .zero) }

    private actor LongRecovery: Injection {
        private static let stopLimit = Duration.seconds(20)
        private static let startLimit = Duration.seconds(30)
        private static let answerLimit = Duration.seconds(10)

        private let mode: ShutdownMode
        private let isHeld: Bool
        private var oldPID: Int32?
        private var isStopped = false
        private var isHealed = false

        init(mode: ShutdownMode, isHeld: Bool) {
            self.mode = mode
            self.isHeld = isHeld
        }

        func inject(on stage: FaultStage) async throws {
            let server = try stage.needed(stage.server, .server)
            oldPID = await server.postmasterPID()
            guard oldPID != nil else { throw InjectionError("the server does not run: there is nothing to restart") }
            try await server.stop(mode, within: Self.stopLimit)
            isStopped = true
            if isHeld { try await server.startHeld() } else { try await server.start(within: Self.startLimit) }
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let server = stage.server else { return Landing(landed: false, evidence: ["reason": "no server"]) }
            var answer = ConnectAnswer.noAnswer
            // Refused at first: the postmaster has to bind its port.
            _ = await eventually(within: Self.answerLimit) {
                answer = await server.tryConnect(within: .seconds(2))
                return answer == .accepted || answer.sqlState == "57P03"
            }
            var evidence: [JSONValue.Member] = [
                .init("connect_sqlstate", JSONValue(answer.sqlState)), .init("connect", .string(answer.words)),
            ]
            let hasLanded = answer.sqlState == "57P03"
            if !hasLanded { evidence.append(.init("reason", "the server did not say that it is starting up")) }
            return Landing(landed: hasLanded, evidence: .object(evidence))
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            let server = try stage.needed(stage.server, .server)
            guard !isHealed else { return ["healed_before": true] }
            let startedAt = MonotonicInstant.now
            if !isStopped { try await server.stopForGood(patience: Self.stopLimit) }
            isStopped = true
            do {
                try await server.endHeldRecovery(within: Self.startLimit)
            } catch {
                // A recovery that failed ends the server; what is left starts like any other one.
                try await server.stopForGood(patience: Self.stopLimit)
            }
            try await server.start(within: Self.startLimit)
            try await server.waitUntilServing(within: Self.startLimit)
            isHealed = true
            return [
                "new_postmaster": JSONValue(await server.postmasterPID().map { Int($0) }),
                "ready_after_s": .double(startedAt.duration(to: .now).seconds),
            ]
        }
    }
}
