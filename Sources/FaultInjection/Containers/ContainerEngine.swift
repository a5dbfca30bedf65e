import HostSystem
import RigModel
import Threading

/// The engine's program, for one container. Every change has its undo in the journal first.
struct ContainerEngine {
    private static let limit = Duration.seconds(60)
    /// For a server that has to recover first.
    private static let answerLimit = Duration.seconds(60)

    let place: ContainerPlace
    let programs: any ProgramRunner
    let statements: (any StatementControl)?
    let journal: any UndoJournal

    init(_ stage: FaultStage) throws {
        place = try stage.needed(stage.container, .containers)
        programs = try stage.needed(stage.programs, .containers)
        statements = stage.statements
        journal = stage.journal
    }

    /// The engine's program, told which engine.
    private var program: [String] { ["docker"] + (place.engine.map { ["--host", $0] } ?? []) }

    /// - Throws: when there is no such container any more, or it is not that of the service.
    func state() async throws -> ContainerState {
        let output = try await run(["inspect", "--type", "container", "--format", ContainerState.format, place.id])
        guard let state = ContainerState(output: output) else {
            throw InjectionError("docker inspect of \(place.id) cannot be read: \(output)")
        }
        guard state.service == place.service, state.project == place.project else {
            throw InjectionError(
                "the container \(place.id) is now \(state.service ?? "no service") of the project "
                    + "\(state.project ?? "of nobody"), and not \(place.service) of \(place.project)")
        }
        return state
    }

    @discardableResult
    func run(_ arguments: [String]) async throws -> String {
        let words = program + arguments
        let result = try await programs.run(words, within: Self.limit)
        guard result.exitCode == 0 else {
            throw InjectionError("\(words.joined(separator: " ")) ended with \(result.exitCode): \(result.output)")
        }
        return result.output
    }

    /// Looks until it is true of the state, or the limit.
    ///
    /// - Returns: the last state that was seen; `nil` when none could be.
    func state(within limit: Duration, _ isReached: (ContainerState) -> Bool) async -> (ContainerState?, Bool) {
        var last: ContainerState?
        let isTrue = await eventually(within: limit, every: .milliseconds(50)) {
            guard let state = try? await state() else { return false }
            last = state
            return isReached(state)
        }
        return (last, isTrue)
    }

    /// Waits until the server in the container answers the rig.
    ///
    /// - Returns: how long that took.
    func waitForAnswer() async throws -> Duration {
        let startedAt = MonotonicInstant.now
        guard let statements else { return .zero }
        var failure: StatementFailure?
        let isAnswered = await eventually(within: Self.answerLimit, every: .milliseconds(50)) {
            do throws(StatementFailure) {
                try await statements.run("SELECT 1", within: .seconds(2))
                return true
            } catch {
                failure = error
                return false
            }
        }
        guard isAnswered else {
            throw InjectionError(
                "the server in \(place.service) does not answer: \(failure.map { "\($0)" } ?? "nothing came")")
        }
        return startedAt.duration(to: .now)
    }

    // MARK: How each change is undone by whoever reads the journal

    /// `docker inspect` fails when the template does: that makes a condition an exit status, without a shell.
    private func verify(isWrong condition: String) -> [String] {
        program + [
            "inspect", "--type", "container", "--format", "{{if \(condition)}}{{index .Id 9999}}{{end}}", place.id,
        ]
    }

    var startAgain: Undo {
        .program(arguments: program + ["start", place.id], verify: verify(isWrong: "not .State.Running"))
    }

    var unpause: Undo {
        .program(arguments: program + ["unpause", place.id], verify: verify(isWrong: ".State.Paused"))
    }

    func connect(_ network: String, _ attachment: ContainerState.Attachment) -> Undo {
        .program(
            arguments: program + connectArguments(network, attachment),
            verify: verify(isWrong: "not (index .NetworkSettings.Networks \"\(network)\")"))
    }

    /// With the names and the address that it had. Its own id is an alias that the engine adds by itself.
    func connectArguments(_ network: String, _ attachment: ContainerState.Attachment) -> [String] {
        let aliases = attachment.aliases.filter { !place.id.hasPrefix($0) }.flatMap { ["--alias", $0] }
        let address = attachment.fixedAddress.map { ["--ip", $0] } ?? []
        return ["network", "connect"] + aliases + address + [network, place.id]
    }
}
