/// Finds the name that somebody probably meant.
public enum NearestName {
    /// Longer words are no misspelt names. They may come from anybody, and the comparison is O(product of lengths).
    static let longestWord = 64

    /// The nearest of the names, when it is near enough to be meant: at most a third of its characters differ, or it is the only one
    /// that begins so (dashes before it are left out). `nil` for a word of more than 64 bytes.
    public static func of(_ word: String, in names: [String]) -> String? {
        guard word.utf8.count <= longestWord else { return nil }
        let ranked = names.map { (name: $0, distance: distance(word.lowercased(), $0.lowercased())) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= max(1, best.name.count / 3) ? best.name : longer(word, in: names)
    }

    /// The only name that begins with the word.
    private static func longer(_ word: String, in names: [String]) -> String? {
        func bare(_ text: String) -> String { String(text.lowercased().drop { $0 == "-" }) }
        let start = bare(word)
        let longer = names.filter { bare($0).hasPrefix(start) }
        return start.isEmpty || longer.count != 1 ? nil : longer[0]
    }

    /// Edits (insert, delete, change, swap neighbours) between two words. O(product of lengths).
    static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a)
        let b = Array(b)
        if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
        var rows = [Array(0...b.count)]
        for i in 1...a.count {
            var row = [i] + Array(repeating: 0, count: b.count)
            for j in 1...b.count {
                row[j] = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    row[j] = min(row[j], rows[i - 2][j - 2] + 1)
                }
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
