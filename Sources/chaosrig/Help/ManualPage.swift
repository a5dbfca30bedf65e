import Orchestrator
import Reporting
import RigModel

/// chaosrig(1) in the language of man pages. Pure; ASCII only, so that every reader shows it.
struct ManualPage {
    let commands: [any Command.Type]

    var text: String {
        var lines = [
            #".\" Made by chaosrig manual from what its commands say about themselves."#,
            ".TH CHAOSRIG 1 \(RigVersion.date) \(quoted("chaosrig \(RigVersion.current)")) \(quoted("User Commands"))",
            ".SH NAME", #"chaosrig \- "# + roff(ProgramText.summary), ".SH SYNOPSIS", ".B chaosrig",
            #".I COMMAND"#, "[options]", ".SH DESCRIPTION",
        ]
        lines += paragraphs(ProgramText.details)
        lines.append(".SH COMMANDS")
        for command in commands { lines += section(command) }
        lines.append(".SH EXIT STATUS")
        for code in ProgramText.exitCodes { lines += item(code.code, code.meaning) }
        lines.append(".SH ENVIRONMENT")
        for variable in ProgramText.environment { lines += item(variable.name, variable.summary) }
        lines.append(".SH FILES")
        for file in ProgramText.files { lines += item(file.name, file.summary) }
        lines.append(".SH EXAMPLES")
        lines += [".EX"] + commands.flatMap { $0.examples.map(roff) } + [".EE"]
        return lines.joined(separator: "\n")
    }

    private func section(_ command: any Command.Type) -> [String] {
        var lines = [".SS chaosrig \(roff(command.name))"] + lines(capitalised(command.summary) + ".")
        for form in command.synopsis {
            lines += [".PP", ".nh", #"\fBchaosrig \#(roff(command.name))\fR"#]
            if !form.isEmpty { lines += self.lines(form) }
            lines.append(".hy")
        }
        if !command.details.isEmpty { lines += [".PP"] + paragraphs(command.details) }
        for word in command.operands.words where !word.summary.isEmpty { lines += item(word.name, word.summary) }
        for option in command.options {
            lines += item(option.name, value: option.value, option.text)
            let words = option.kind.words.filter { !$0.summary.isEmpty }
            if !words.isEmpty { lines.append(".RS") }
            for word in words { lines += item(word.name, word.summary) }
            if !words.isEmpty { lines.append(".RE") }
        }
        if !command.notes.isEmpty { lines += [".PP"] + paragraphs(command.notes) }
        return lines
    }

    private func paragraphs(_ texts: [String]) -> [String] { Array(texts.map(lines).joined(separator: [".PP"])) }

    /// Short lines, each of which is text.
    private func lines(_ text: String) -> [String] { TerminalText.wrap(text, width: 60).map(roff) }

    private func item(_ label: String, value: String? = nil, _ text: String) -> [String] {
        [".TP", #"\fB\#(roff(label))\fR"# + (value.map { #" \fI\#(roff($0))\fR"# } ?? "")]
            + lines(text)
    }

    private func capitalised(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }

    private func quoted(_ text: String) -> String { "\"\(roff(text).replacing("\"", with: "\\(dq"))\"" }

    /// Text that roff shows as it is: nothing in it is a request, an escape or another character.
    private func roff(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += #"\e"#
            case "-": result += #"\-"#
            case "'": result += #"\(aq"#
            case "`": result += #"\(ga"#
            case "^": result += #"\(ha"#
            case "~": result += #"\(ti"#
            case _ where scalar.isASCII: result.unicodeScalars.append(scalar)
            default: result += #"\[u\#(hexadecimal(scalar))]"#
            }
        }
        return result.hasPrefix(".") ? #"\&"# + result : result
    }

    private func hexadecimal(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
