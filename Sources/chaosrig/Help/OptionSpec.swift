import RigModel

/// What the value of an option, or a word behind a command, may be. Completions offer it.
enum ValueKind: Sendable {
    /// A number, a name that nobody else knows: nothing is offered.
    case free
    /// One of these.
    case words([Word])
    case scenario
    case runFolder
    case folder
    case file

    static func words(_ names: [String]) -> ValueKind { .words(names.map { Word($0, "") }) }

    /// What it names when it names a file or a folder; `nil`: it names neither.
    var path: String? {
        switch self {
        case .free, .words: nil
        case .scenario: "a scenario file"
        case .runFolder: "a run folder"
        case .folder: "a folder"
        case .file: "a file"
        }
    }

    /// The words, where they are known.
    var words: [Word] { if case .words(let words) = self { words } else { [] } }
}

/// A word that may be given, and what it means.
struct Word: Sendable {
    let name: String
    let summary: String

    init(_ name: String, _ summary: String) {
        self.name = name
        self.summary = summary
    }
}

/// One option of a command: the only place that says what it is. `--help`, the manual and the completions are made of it.
struct OptionSpec: Sendable {
    /// With its dashes: `--seed`.
    let name: String
    /// What stands for the value in the help; `nil` for a switch.
    let value: String?
    let kind: ValueKind
    /// May be given more than once.
    let isRepeatable: Bool
    /// What it does, without a full stop.
    let summary: String
    /// What holds without it; `nil`: nothing that is worth saying.
    let standard: String?

    static func flag(_ name: String, _ summary: String) -> OptionSpec {
        OptionSpec(name: name, value: nil, kind: .free, isRepeatable: false, summary: summary, standard: nil)
    }

    static func value(
        _ name: String, _ value: String, _ summary: String, default standard: String? = nil, _ kind: ValueKind = .free
    ) -> OptionSpec {
        OptionSpec(name: name, value: value, kind: kind, isRepeatable: false, summary: summary, standard: standard)
    }

    /// It may be given more than once.
    static func list(_ name: String, _ value: String, _ summary: String, _ kind: ValueKind = .free) -> OptionSpec {
        OptionSpec(name: name, value: value, kind: kind, isRepeatable: true, summary: summary, standard: nil)
    }

    /// As it is typed: `--seed N`.
    var usage: String { value.map { "\(name) \($0)" } ?? name }

    /// All that is to be said about it.
    var text: String { summary + (standard.map { " (default: \($0))" } ?? "") }
}
