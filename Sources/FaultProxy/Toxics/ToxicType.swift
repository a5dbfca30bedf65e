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

    package init(
        _ name: String, _ summary: String, _ attributes: [ToxicAttribute] = [], spansBothStreams: Bool = false,
        isToxiproxys: Bool = false, make: @escaping @Sendable (ToxicAttributes) -> any Toxic
    ) {
        self.name = name
        self.summary = summary
        self.attributes = attributes
        self.spansBothStreams = spansBothStreams
        self.isToxiproxys = isToxiproxys
        self.make = make
    }
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

    /// What the number counts. In JSON it is bare; on a command line it may have a unit, which is converted.
    package enum Unit: Sendable, Equatable {
        case milliseconds
        case microseconds
        case bytes
        /// 1 KB is 1000 bytes, as in Toxiproxy.
        case kilobytesPerSecond
        /// A share of 1.
        case share
        /// Things, or nothing at all.
        case none
    }

    package var name: String
    package var kind: Kind
    package var unit: Unit
    package var standard: JSONValue
    /// With the unit of the number, for example "delay in milliseconds".
    package var summary: String

    package init(_ name: String, _ kind: Kind, _ unit: Unit, standard: JSONValue, _ summary: String) {
        self.name = name
        self.kind = kind
        self.unit = unit
        self.standard = standard
        self.summary = summary
    }

    /// A whole number from 0 up, 0 where nothing is said: all of Toxiproxy's are like that.
    static func count(_ name: String, _ unit: Unit, _ summary: String) -> ToxicAttribute {
        ToxicAttribute(name, .integer(0...Int64.max), unit, standard: 0, summary)
    }
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
