package import RigModel

/// Spoils bytes in the ways that readers of text stumble over. The same generator gives the same bytes.
package enum Mutation {
    private static let pieces: [[UInt8]] =
        [
            "null", "true", "-1", "1e999", "18446744073709551616", "0.1", "\"\"", "{}", "[]", "[[[[", "{\"", "\\u0000",
            "\\ud800",
            "\u{0}", "\n", "\u{FEFF}", ",", ":", "NaN", "\"type\":\"latency\"", "\"attributes\":",
            "9223372036854775807",
        ].map { Array($0.utf8) } + [[0xFF], [0xC3], Array(repeating: UInt8(ascii: "["), count: 2000)]

    /// The bytes with one to eight changes: bits, cuts, doublings, pieces from a list, parts of another text.
    package static func of(
        _ bytes: [UInt8], with other: [UInt8], using generator: inout SeededGenerator
    ) -> [UInt8] {
        var result = bytes
        for _ in 0...Int.random(in: 0..<8, using: &generator) {
            let place = Int.random(in: 0...result.count, using: &generator)
            let end = Int.random(in: place...result.count, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0 where place < result.count: result[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: result.removeSubrange(place..<min(end, place + 20))
            case 2: result.insert(contentsOf: result[place..<min(end, place + 100)], at: place)
            case 3: result.insert(contentsOf: pieces.randomElement(using: &generator) ?? [], at: place)
            case 4 where !other.isEmpty:
                let from = Int.random(in: 0..<other.count, using: &generator)
                result.replaceSubrange(place..<end, with: other[from...].prefix(40))
            default: result = Array(result.prefix(place))
            }
        }
        return result
    }
}
