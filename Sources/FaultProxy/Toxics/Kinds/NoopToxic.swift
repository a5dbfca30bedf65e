/// Toxiproxy's `noop`: does nothing.
package struct NoopToxic: Toxic {
    package static let type = ToxicType("noop", "does nothing", isToxiproxys: true, make: { NoopToxic($0) })

    package let attributes: ToxicAttributes

    package init(_ attributes: ToxicAttributes) { self.attributes = attributes }

    package func makeStage(_ context: StageContext) -> (any ToxicStage)? { nil }
}
