package import RigModel
import Threading

/// Statements are answered with an error of the given SQLSTATE instead of being done: a serialization failure, a server that
/// has become read-only, a session that an administrator ends.
///
/// Landed: a statement was answered so.
package struct InjectError: Fault {
    package static let shape = Shape(
        name: "inject-error", summary: "statements are answered with an error of a given SQLSTATE (relay)",
        parameters: [
            Parameter("sqlstate", .text, isRequired: true, summary: "for example 40001, 53300, 57P01, 25006"),
            Parameter("message", .text, summary: "the error's text"),
            Parameter(
                "severity", .choice(["ERROR", "FATAL"]),
                summary: "FATAL ends the session; without it what the SQLSTATE usually comes with"),
            Parameter(
                "on", .choice(["Query", "Parse", "Bind", "Execute", "StartupMessage"]), default: .choice("Execute"),
                summary: "the client's message that is answered so; Execute: prepared or with parameters"),
        ] + CutWords.parameters, isLasting: true)

    private let parameters: Parameters

    package init(_ parameters: Parameters) { self.parameters = parameters }

    package var needs: Set<StagePart> { [.link] }
    package var ownDuration: Duration? { nil }
    package var detail: String { rule(seed: nil) }

    private func rule(seed: UInt64?) -> String {
        var words = ["before", parameters.choice("on") ?? "Execute"] + CutWords.matches(parameters, seed: seed)
        words += ["do", "error", parameters.text("sqlstate") ?? ""]
        if let message = parameters.text("message") { words.append("text=\(CutWords.quoted(message))") }
        if let severity = parameters.choice("severity") { words.append("severity=\(severity)") }
        return words.joined(separator: " ")
    }

    package func disturbances(seed: UInt64) -> [Disturbance] { [.cut(rule(seed: seed))] }

    package func makeInjection(seed: UInt64) -> any Injection {
        RelayInjection(disturbances(seed: seed), provenBy: .cutPointHit)
    }
}
