import RigModel

/// Refuses the first `connections` connections after it was added: exactly so many failures for a test of retries.
package struct RefuseFirstToxic: Toxic {
    package static let type = ToxicType(
        "refuse_first", "refuses the first connections that come",
        [
            ToxicAttribute(
                "connections", .integer(0...Int64.max), .none, standard: 1, "how many connections are refused")
        ], spansBothStreams: true, make: { RefuseFirstToxic($0) })

    package let attributes: ToxicAttributes
    let connections: Int

    package init(_ attributes: ToxicAttributes) {
        self.attributes = attributes
        connections = Int(attributes.integer("connections"))
    }

    package func admits(connection index: Int) -> Bool { index >= connections }

    package func makeStage(_ context: StageContext) -> (any ToxicStage)? { nil }
}
