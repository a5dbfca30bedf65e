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
    private var program: [String] { ["docker", "--host", place.engine] }

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

    /// - Parameter longer: how much longer than usual the engine may take.
    @discardableResult
    func run(_ arguments: [String], longer: Duration = .zero) async throws -> String {
        let words = program + arguments
        let result = try await programs.run(words, within: Self.limit + longer)
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

    /// `docker ps` fails when the template does: that makes a condition an exit status, without a shell. A container that is
    /// not there any more (`docker-compose down`) is not listed, and nothing of it is left to undo; of an engine that does
    /// not answer nobody knows.
    ///
    /// - Parameters:
    ///   - before: of the template, before the condition.
    ///   - condition: over the fields of `docker ps`. It is first tried by the program on a container without any.
    private func verify(_ before: String = "", isWrong condition: String) -> [String] {
        program + [
            "ps", "--all", "--no-trunc", "--format",
            "\(before){{if and .ID (\(condition))}}{{index .ID 9999}}{{end}}", "--filter", "id=\(place.id)",
        ]
    }

    /// The seconds that a container gets to end before the engine kills it. Those of its own may be many minutes.
    static let stopSeconds = "10"

    /// One that was told to end may do so at any time from now on, and is not started by `docker start` as long as it runs.
    var startAgain: Undo {
        .program(
            arguments: program + ["restart", "-t", Self.stopSeconds, place.id],
            verify: verify(isWrong: "ne .State \"running\""))
    }

    var unpause: Undo {
        .program(arguments: program + ["unpause", place.id], verify: verify(isWrong: "eq .State \"paused\""))
    }

    func connect(_ network: String, _ attachment: ContainerState.Attachment) -> Undo {
        .program(
            arguments: program + connectArguments(network, attachment),
            verify: verify(
                "{{$in := false}}{{range split .Networks \",\"}}{{if eq . \"\(network)\"}}{{$in = true}}{{end}}{{end}}",
                isWrong: "not $in"))
    }

    /// With all that it had by its configuration. Its own short id is an alias that the engine adds by itself.
    func connectArguments(_ network: String, _ attachment: ContainerState.Attachment) -> [String] {
        let aliases = names(attachment).sorted().flatMap { ["--alias", $0] }
        return ["network", "connect"] + aliases + attachment.settings.flatMap { [$0.option, $0.value] }
            + [network, place.id]
    }

    /// Under which the network knows the container, without its own short id.
    private func names(_ attachment: ContainerState.Attachment) -> Set<String> {
        Set(attachment.aliases).subtracting([String(place.id.prefix(ContainerState.shortLength))])
    }

    /// What is missing of an attachment, in words; `nil` when all of it is there.
    func missing(_ wanted: ContainerState.Attachment, of now: ContainerState.Attachment?) -> String? {
        guard let now else { return "it is not in it" }
        let lost =
            names(wanted).subtracting(names(now)).sorted().map { "the alias \($0)" }
            + wanted.settings.filter { !now.settings.contains($0) }.map { "\($0.option) \($0.value)" }
        return lost.isEmpty ? nil : "without " + lost.joined(separator: ", ")
    }
}
