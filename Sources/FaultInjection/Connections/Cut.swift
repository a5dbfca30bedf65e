package import RigModel
import Threading

/// Connections are cut at a named message of PostgreSQL's protocol: after COMMIT was sent and before its answer, between Parse
/// and Bind, in the middle of a DataRow.
///
/// Landed: the cut point was hit.
package struct Cut: Fault {
    package static let shape = Shape(
        name: "cut", summary: "cuts connections at a named message of the protocol (relay)",
        parameters: [
            Parameter(
                "at", .text, isRequired: true,
                summary: "before, after or inside a message, for example \"before CommandComplete\"; or a preset: "
                    + "lost-commit, between-parse-and-bind, during-authentication, inside-data-row, cancel-connection"),
            Parameter("tag", .text, summary: "only with this command tag, its counts left out or not: COMMIT, UPDATE"),
        ] + CutWords.parameters + [
            Parameter(
                "action", .choice(["reset", "finish", "blackhole", "delay"]),
                summary: "what happens there; reset unless a preset says otherwise"),
            Parameter("delay", .duration, summary: "of the action delay"),
        ], isLasting: true)

    private let at: String
    private let parameters: Parameters

    package init(_ parameters: Parameters) {
        at = parameters.text("at") ?? ""
        self.parameters = parameters
    }

    package var needs: Set<StagePart> { [.link] }
    package var ownDuration: Duration? { nil }
    package var detail: String { rule(seed: nil) }

    /// In the words of `chaosrig proxy --cut`.
    private func rule(seed: UInt64?) -> String {
        var words = [at] + CutWords.matches(parameters, seed: seed)
        if let action = parameters.choice("action") {
            words += ["do", action]
            if let delay = parameters.duration("delay") { words.append("\(delay.milliseconds)ms") }
        } else if at.contains(" ") {
            words += ["do", "reset"]
        }
        // Without its action it is refused, by its name.
        if parameters.choice("action") == nil, let delay = parameters.duration("delay") {
            words.append("delay=\(delay.milliseconds)ms")
        }
        return words.joined(separator: " ")
    }

    package func disturbances(seed: UInt64) -> [Disturbance] { [.cut(rule(seed: seed))] }

    package func makeInjection(seed: UInt64) -> any Injection {
        RelayInjection(disturbances(seed: seed), provenBy: .cutPointHit)
    }
}

/// Matches of a cut point, as the command line says them.
enum CutWords {
    static let parameters = [
        Parameter("statement", .text, summary: "only where the statement matches this regular expression"),
        Parameter(
            "transaction", .choice(["idle", "in-transaction", "failed"]),
            summary: "only in this state of the transaction"),
        Parameter("times", .count, summary: "so often at the most; without it no limit"),
        Parameter("every", .count, summary: "only every so many matches"),
        Parameter("share", .share, summary: "only this share of the matches, drawn from the seed"),
    ]

    /// - Parameter seed: draws the share; `nil` where it is for people to read.
    static func matches(_ parameters: Parameters, seed: UInt64?) -> [String] {
        var words: [String] = []
        for name in ["tag", "statement"] {
            if let text = parameters.text(name) { words.append("\(name)=\(quoted(text))") }
        }
        if let state = parameters.choice("transaction") { words.append("transaction=\(state)") }
        for name in ["times", "every"] { if let count = parameters.count(name) { words.append("\(name)=\(count)") } }
        if let share = parameters.share("share") {
            words.append("share=\(share)")
            if let seed { words.append("seed=\(seed >> 1)") }
        }
        return words
    }

    static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\"'\"'") + "'"
    }
}
