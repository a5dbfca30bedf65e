/// What a scenario may be called: its run folders are named by it, on every file system. Pure.
package enum ScenarioName {
    /// Characters.
    static let longest = 100

    package static func isValid(_ name: String) -> Bool {
        !name.isEmpty && name.count <= longest && !name.allSatisfy { $0 == "." } && name.allSatisfy(isAllowed)
    }

    /// A valid name that looks like this text: `-` for what is not allowed; `scenario` where nothing is left.
    package static func near(_ text: String) -> String {
        var result = ""
        for character in text {
            let next = isAllowed(character) ? character : "-"
            if next != "-" || (!result.isEmpty && result.last != "-") { result.append(next) }
        }
        result = String(result.prefix(longest))
        while let last = result.last, "-.".contains(last) { result.removeLast() }
        return isValid(result) ? result : "scenario"
    }

    private static func isAllowed(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "-_.".contains(character))
    }
}
