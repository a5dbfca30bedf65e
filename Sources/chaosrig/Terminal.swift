import Foundation

/// What the person in front of it can see.
struct Terminal: Sendable {
    let isTerminal: Bool
    /// A line can be written again and again, and nobody keeps what was there: no dumb terminal, no CI service.
    let canRedraw: Bool
    let width: Int
    let hasColor: Bool

    /// Looks at a descriptor and at `NO_COLOR`, `CI`, `TERM`.
    init(descriptor: Int32, environment: [String: String] = ProcessInfo.processInfo.environment) {
        // Without TERM nobody knows what it can.
        let isDumb = ["dumb", ""].contains(environment["TERM"] ?? "") || environment["CI"].map { !$0.isEmpty } ?? false
        isTerminal = isatty(descriptor) == 1
        canRedraw = isTerminal && !isDumb
        var size = winsize()
        let known = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        width = known ? Int(size.ws_col) : environment["COLUMNS"].flatMap { Int($0) } ?? 100
        hasColor = canRedraw && (environment["NO_COLOR"] ?? "").isEmpty
    }
}
