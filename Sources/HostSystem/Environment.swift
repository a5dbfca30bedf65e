import Glibc

/// The environment of this process as a value. When a name occurs twice the first one counts, as in `getenv`.
package func currentEnvironment() -> [String: String] {
    var variables: [String: String] = [:]
    var next = environ
    while let entry = next.pointee {
        let text = String(cString: entry)
        if let equals = text.firstIndex(of: "="), variables[String(text[..<equals])] == nil {
            variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
        }
        next += 1
    }
    return variables
}
