import Glibc

/// Calls `body` with the strings as a C array that ends in NULL.
func withCStrings<R>(_ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R) -> R {
    withOptionalCStrings(strings.map(Optional.some) + [nil], body)
}

/// Calls `body` with the strings as a C array, NULL for `nil`.
func withOptionalCStrings<R>(_ strings: [String?], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R) -> R {
    let copies = strings.map { $0.flatMap { strdup($0) } }
    defer { for copy in copies { free(copy) } }
    return withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: max(1, copies.count)) { array in
        array.initialize(repeating: nil)
        for (index, copy) in copies.enumerated() { array[index] = copy.map { UnsafePointer($0) } }
        guard let base = array.baseAddress else { preconditionFailure("a temporary array has no address") }
        return body(UnsafePointer(base))
    }
}
