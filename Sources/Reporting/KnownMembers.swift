import RigModel

extension [JSONValue.Member] {
    /// Without those of which nothing is known: a commit outside of a checkout.
    var known: Self { filter { $0.value != .null } }
}
