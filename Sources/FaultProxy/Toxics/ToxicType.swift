package import RigModel

/// A kind of toxic as users see it.
package struct ToxicType: Sendable {
    /// The name on the wire, for example `reset_peer`.
    package let name: String
    package let summary: String
    /// In the order in which Toxiproxy writes them.
    package let attributes: [ToxicAttribute]
    /// Works on both streams of a connection, whatever stream it was added to.
    package let spansBothStreams: Bool
    /// Toxiproxy has it too, with the same attributes.
    package let isToxiproxys: Bool
    package let make: @Sendable (ToxicAttributes) -> any Toxic
}

/// One attribute of a toxic.
package struct ToxicAttribute: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// A whole number within these bounds.
        case integer(ClosedRange<Int64>)
        /// A number within these bounds.
        case real(ClosedRange<Double>)
        case choice([String])
    }

    package var name: String
    package var kind: Kind
    package var standard: JSONValue
    /// With the unit of the number, for example "delay in milliseconds".
    package var summary: String
}

/// The attributes of a toxic with their values, in the order of its type. A value.
package struct ToxicAttributes: Sendable, Equatable {
    package var values: [JSONValue.Member]

    package init(_ values: [JSONValue.Member]) { self.values = values }

    package func integer(_ name: String) -> Int64 { self[name]?.intValue ?? 0 }

    package func real(_ name: String) -> Double {
        switch self[name] {
        case .int(let value)?: Double(value)
        case .double(let value)?: value
        default: 0
        }
    }

    package func choice(_ name: String) -> String { self[name]?.stringValue ?? "" }

    private subscript(name: String) -> JSONValue? { values.first { $0.key == name }?.value }
}
