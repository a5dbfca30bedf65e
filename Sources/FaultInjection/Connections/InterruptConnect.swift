package import RigModel
import Threading

/// Connections die while they are being established: a server that accepts and says nothing, a proxy that restarts between
/// the client's login and the server's answer. Sessions that exist are left alone, but for those that the fault ends first so
/// that the pool has to connect.
///
/// Landed: a connection that was being established was cut.
package struct InterruptConnect: Fault {
    package static let shape = Shape(
        name: "interrupt-connect", summary: "connections die while they are being established (relay)",
        parameters: [
            Parameter(
                "when", .choice(Moment.allCases.map(\.rawValue)), default: .choice("nothing-answered"),
                summary: "nothing-answered (the server's first word is lost), after-startup (after it has accepted the "
                    + "login), before-ready (only its word that it is ready is missing)"),
            Parameter(
                "answer", .choice(Answer.allCases.map(\.rawValue)), default: .choice("reset"),
                summary: "what the pool gets instead: silence, fin or reset"),
            Parameter("times", .count, summary: "so many connections at the most; without it all"),
            Parameter("share", .share, summary: "only this share of the connections, drawn from the seed"),
            Parameter(
                "evict", .flag, default: .flag(true),
                summary: "end the pool's sessions first, so that it has to connect"),
        ], isLasting: true)

    enum Moment: String, CaseIterable {
        case nothingAnswered = "nothing-answered"
        case afterStartup = "after-startup"
        case beforeReady = "before-ready"

        /// In the words of a cut point.
        var words: [String] {
            switch self {
            case .nothingAnswered: ["before", "Authentication"]
            case .afterStartup: ["after", "AuthenticationOk"]
            // The only message that comes just before a session's first ReadyForQuery, and never later.
            case .beforeReady: ["after", "BackendKeyData"]
            }
        }
    }

    enum Answer: String, CaseIterable {
        case silence
        case fin
        case reset

        /// In the words of a cut point.
        var words: [String] {
            switch self {
            case .silence: ["do", "blackhole"]
            case .fin: ["do", "finish"]
            case .reset: ["do", "reset"]
            }
        }
    }

    private let moment: Moment
    private let answer: Answer
    private let evicts: Bool
    private let parameters: Parameters

    package init(_ parameters: Parameters) {
        moment = parameters.choice("when").flatMap(Moment.init) ?? .nothingAnswered
        answer = parameters.choice("answer").flatMap(Answer.init) ?? .reset
        evicts = parameters.flag("evict") ?? true
        self.parameters = parameters
    }

    package var needs: Set<StagePart> { evicts ? [.link, .sessions] : [.link] }
    package var ownDuration: Duration? { nil }

    package var detail: String {
        let count = parameters.count("times").map { ", \($0) times" } ?? ""
        return "\(moment.rawValue), \(answer.rawValue)\(count)"
    }

    package func disturbances(seed: UInt64) -> [Disturbance] {
        let words = moment.words + CutWords.matches(parameters, seed: seed) + answer.words
        return [.cut(words.joined(separator: " "))]
    }

    package func makeInjection(seed: UInt64) -> any Injection {
        InterruptedConnects(
            relay: RelayInjection(disturbances(seed: seed), provenBy: .cutPointHit), evicts: evicts)
    }
}

/// Cuts connects at the relay, and makes the pool need some.
private actor InterruptedConnects: Injection {
    private let relay: RelayInjection
    private let evicts: Bool
    private var evicted: Int?

    init(relay: RelayInjection, evicts: Bool) {
        self.relay = relay
        self.evicts = evicts
    }

    func inject(on stage: FaultStage) async throws {
        try await relay.inject(on: stage)
        guard evicts else { return }
        let control = try stage.needed(stage.sessions, .sessions)
        evicted = try await control.terminate(control.sessions()).count
    }

    func prove(on stage: FaultStage) async -> Landing { await relay.prove(on: stage) }

    func heal(on stage: FaultStage) async throws -> JSONValue {
        let facts = try await relay.heal(on: stage)
        guard let evicted, case .object(let members) = facts else { return facts }
        return .object(members + [.init("evicted", JSONValue(evicted))])
    }
}
