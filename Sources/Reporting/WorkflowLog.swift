/// A log that GitHub Actions reads, line by line: what a server says must not give its runner orders. Pure.
package enum WorkflowLog {
    /// The same text, in which nothing is a command.
    ///
    /// The runner takes a line for one that begins with `::` behind any white space, or that has `##[` anywhere
    /// (actions/runner, ActionCommand.cs: TryParseV2 and TryParse). A space without width keeps them apart.
    package static func defused(_ text: String) -> String {
        let apart: Unicode.Scalar = "\u{200B}"
        let scalars = Array(text.unicodeScalars)
        var result = String.UnicodeScalarView()
        var isBegin = true
        for (index, scalar) in scalars.enumerated() {
            let next = index + 1 < scalars.count ? scalars[index + 1] : "\n"
            result.append(scalar)
            if scalar == "#", next == "#", index + 2 < scalars.count, scalars[index + 2] == "[" {
                result.append(apart)
            } else if isBegin, scalar == ":", next == ":" {
                result.append(apart)
            }
            if scalar == "\n" || scalar == "\r" {
                isBegin = true
            } else if !scalar.properties.isWhitespace {
                isBegin = false
            }
        }
        return String(result)
    }
}
