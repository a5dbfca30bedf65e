/// The exit code of several runs. Pure.
enum ExitCode {
    /// From good to bad: what was not undone counts more than a verdict, since somebody must act; a violation more than a run
    /// that did not take place or did not end.
    private static let ranks: [Int32] = [0, 4, 3, 2, 129, 130, 143, 1, 70, 5]

    static func worse(_ one: Int32, _ other: Int32) -> Int32 { rank(one) >= rank(other) ? one : other }

    private static func rank(_ code: Int32) -> Int { ranks.firstIndex(of: code) ?? ranks.count }
}
