/// The name of a proxy as a key. Names are their bytes, as in Toxiproxy; two strings are equal to Swift also when they only look
/// alike (é, and e with an accent).
package struct ProxyName: Hashable {
    private let bytes: [UInt8]

    package init(_ name: String) { bytes = Array(name.utf8) }
}

extension String {
    /// The same bytes, not only the same look.
    func isName(_ other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
